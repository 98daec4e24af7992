"""The ASGI entry point: `trustcore.asgi:application`."""

import os
import sys
import warnings

from django.core.asgi import get_asgi_application

from trustcore.web.body_limit import limited

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trustcore.settings")
os.environ.setdefault("TRUSTCORE_DATABASE_POOL", "40")
# Static files are small and come from memory or the page cache; that they are read in one piece is meant.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
# A request here passes between the event loop and threads several times. With Python's own 5 ms, each pass waits that
# long for whichever thread is computing; half a millisecond takes a sixth off the time to a viewer's answer.
sys.setswitchinterval(0.0005)
_django = get_asgi_application()  # first: what follows needs the settings

from trustcore.web import worker_bodies  # noqa: E402

application = limited(_django, is_signed_by_worker=worker_bodies.is_signed)
