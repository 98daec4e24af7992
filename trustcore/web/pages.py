"""The front door: where each kind of person is sent after signing in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from trustcore.accounts.permissions import public


@public
def home(request: HttpRequest) -> HttpResponse:
    """The start page: signed in or not, it says what this is and where to go."""
    return render(request, "home.html")
