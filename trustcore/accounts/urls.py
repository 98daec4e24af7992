"""Signing in, passkeys and API keys. Some names are the ones django-allauth redirects to."""

from django.urls import URLPattern, URLResolver, path

from trustcore.accounts import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/login/", views.login, name="account_login"),
    path("accounts/logout/", views.logout, name="account_logout"),
    path("accounts/organisation/", views.choose_organisation, name="choose_organisation"),
    path("accounts/passkeys/", views.passkey_list, name="mfa_list_webauthn"),
    path("accounts/passkeys/", views.passkey_list, name="mfa_index"),
    path("accounts/passkeys/add/", views.passkey_add, name="mfa_add_webauthn"),
    path("accounts/passkeys/<int:pk>/remove/", views.passkey_remove, name="mfa_remove_webauthn"),
    path("accounts/passkeys/login/", views.passkey_login, name="mfa_login_webauthn"),
    path("accounts/reauthenticate/", views.reauthenticate, name="mfa_reauthenticate_webauthn"),
    path("accounts/reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("demo/sign-in/<str:token>/", views.demo_sign_in, name="demo_sign_in"),
    path("console/api-keys/", views.api_key_list, name="api_keys"),
    path("console/api-keys/<str:public_id>/revoke/", views.api_key_revoke, name="api_key_revoke"),
    path("console/members/", views.member_list, name="members"),
    path("console/members/<str:public_id>/dismiss/", views.member_dismiss, name="member_dismiss"),
]
