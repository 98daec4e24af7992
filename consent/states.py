"""The frozen state tables of consent: `(state, action) -> state`, nothing else."""

from trustcore.primitives.states import Machine

# One link, for one person. `agreed`: the scope is set and we wait for a clip. `clip_received`: a decision waits.
INVITATION = Machine(
    "invitation",
    "sent",
    {
        ("sent", "open"): "opened",
        ("sent", "cancel"): "cancelled",
        ("sent", "expire"): "expired",
        ("opened", "agree"): "agreed",
        ("opened", "decline"): "declined",
        ("opened", "cancel"): "cancelled",
        ("opened", "expire"): "expired",
        ("agreed", "receive_clip"): "clip_received",
        ("agreed", "decline"): "declined",
        ("agreed", "cancel"): "cancelled",
        ("agreed", "expire"): "expired",
        ("clip_received", "ask_again"): "agreed",
        ("clip_received", "accept"): "completed",
        ("clip_received", "refuse"): "refused",
        ("clip_received", "decline"): "declined",
    },
)

# What a person agreed to. Only `in_force` lets anybody render her. Nothing leads out of `key_destroyed`.
CONSENT = Machine(
    "consent",
    "waiting_for_identity",
    {
        ("waiting_for_identity", "accept_identity"): "in_force",
        ("waiting_for_identity", "refuse_identity"): "refused",
        ("waiting_for_identity", "withdraw"): "withdrawn",
        ("in_force", "suspend"): "suspended",
        ("in_force", "withdraw"): "withdrawn",
        ("in_force", "expire"): "expired",
        ("in_force", "replace"): "replaced",
        ("suspended", "resume"): "in_force",
        ("suspended", "withdraw"): "withdrawn",
        ("suspended", "expire"): "expired",
        ("expired", "withdraw"): "withdrawn",
        ("withdrawn", "begin_key_destruction"): "key_destruction_begun",
        ("key_destruction_begun", "finish_key_destruction"): "key_destroyed",
    },
)

# One consent clip on its way through the checks. Only a person moves it out of `checked`.
IDENTITY_CHECK = Machine(
    "identity_check",
    "received",
    {
        ("received", "check"): "checked",
        ("received", "refuse_media"): "unreadable",
        ("checked", "accept"): "accepted",
        ("checked", "refuse"): "refused",
        ("checked", "ask_again"): "clip_requested",
        ("checked", "supersede"): "superseded",
        ("accepted", "erase"): "erased",
        ("refused", "erase"): "erased",
        ("checked", "erase"): "erased",
        ("clip_requested", "erase"): "erased",
        ("superseded", "erase"): "erased",
    },
)

# Two people's signatures over one statement. A changed statement needs a new request: this one is void.
APPROVAL = Machine(
    "approval",
    "open",
    {
        ("open", "sign"): "half_signed",
        ("open", "void"): "void",
        ("open", "expire"): "expired",
        ("open", "send_back"): "sent_back",
        ("half_signed", "sign"): "approved",
        ("half_signed", "void"): "void",
        ("half_signed", "expire"): "expired",
        ("half_signed", "send_back"): "sent_back",
        ("approved", "void"): "void",
        ("approved", "expire"): "expired",
    },
)

MACHINES = (INVITATION, CONSENT, IDENTITY_CHECK, APPROVAL)
