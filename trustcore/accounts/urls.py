"""Signing in and passkeys (django-allauth), each with what it needs. The names are the ones allauth redirects to."""

from django.urls import URLPattern, URLResolver, path

from trustcore.accounts import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/login/", views.login, name="account_login"),
    path("accounts/logout/", views.logout, name="account_logout"),
    path("accounts/reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("accounts/passkeys/", views.passkey_list, name="mfa_list_webauthn"),
    path("accounts/passkeys/", views.passkey_list, name="mfa_index"),
    path("accounts/passkeys/add/", views.passkey_add, name="mfa_add_webauthn"),
    path("accounts/passkeys/<int:pk>/remove/", views.passkey_remove, name="mfa_remove_webauthn"),
    path("accounts/passkeys/reauthenticate/", views.passkey_reauthenticate, name="mfa_reauthenticate_webauthn"),
    path("accounts/passkeys/login/", views.passkey_login, name="mfa_login_webauthn"),
]
