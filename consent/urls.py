"""Addresses of consent: the invited person's, their own page's, and the console's."""

from django.urls import URLPattern, path

from consent.views import approvals, console, identities, invitations, portal

urlpatterns: list[URLPattern] = [
    path("i/<str:token>/", invitations.invitation, name="consent_invitation"),
    path("i/<str:token>/decline/", invitations.decline, name="consent_decline"),
    path("i/<str:token>/clip/", invitations.clip, name="consent_clip"),
    path("i/<str:token>/clip/again/", invitations.record_again, name="consent_record_again"),
    path("i/<str:token>/done/", invitations.done, name="consent_done"),
    path("i/<str:token>/receipt.json", invitations.receipt, name="consent_receipt"),
    path("i/<str:token>/page/", invitations.open_portal, name="consent_open_portal"),
    path("me/", portal.portal, name="consent_portal"),
    path("me/withdraw/", portal.withdraw, name="consent_withdraw"),
    path("me/withdrawn/", portal.withdrawn, name="consent_withdrawn"),
    path("me/receipt.json", portal.receipt, name="consent_my_receipt"),
    path("me/records.json", portal.records, name="consent_my_records"),
    path("me/picture.jpg", portal.picture, name="consent_my_picture"),
    path("me/enter/<str:token>/", portal.enter, name="consent_portal_enter"),
    path("console/", console.decisions, name="console"),
    path("console/subjects/", console.subjects, name="consent_subjects"),
    path("console/subjects/<str:public_id>/", console.subject, name="consent_subject"),
    path("console/subjects/<str:public_id>/suspend/", console.suspend, name="consent_suspend"),
    path("console/subjects/<str:public_id>/resume/", console.resume, name="consent_resume"),
    path("console/subjects/<str:public_id>/hold/", console.hold, name="consent_hold"),
    path("console/subjects/<str:public_id>/invite/", console.invite_again, name="consent_invite_again"),
    path("console/subjects/<str:public_id>/picture.jpg", console.picture, name="consent_subject_picture"),
    path("console/identity/<str:public_id>/", identities.identity, name="consent_identity"),
    path("console/identity/<str:public_id>/clip", identities.clip, name="consent_identity_clip"),
    path("console/identity/<str:public_id>/poster.jpg", identities.poster, name="consent_identity_poster"),
    path("console/approvals/<str:public_id>/", approvals.approval, name="consent_approval"),
    path("console/approvals/<str:public_id>/challenge/", approvals.challenge, name="consent_approval_challenge"),
    path("console/approvals/<str:public_id>/sign/", approvals.sign, name="consent_approval_sign"),
    path("console/approvals/<str:public_id>/send-back/", approvals.send_back, name="consent_approval_send_back"),
    path("console/approvals/<str:public_id>/take-back/", approvals.take_back, name="consent_approval_take_back"),
]
