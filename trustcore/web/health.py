"""`GET /health/`: is the control plane able to do its work?"""

from django.db import connection
from django.http import HttpRequest, JsonResponse

from trustcore.accounts.permissions import public


@public
def health(request: HttpRequest) -> JsonResponse:
    """200 when the database answers. Says nothing about versions or people."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
