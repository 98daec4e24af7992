"""People, the organisations they act for, and the keys programs use. Changes are governed
(trustcore/audit/guards.py)."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from trustcore.accounts.permissions import Role
from trustcore.audit.guards import AuditedModel, AuditedQuerySet
from trustcore.primitives.ids import new_id


def new_user_id() -> str:
    return new_id("user")


def new_organisation_id() -> str:
    return new_id("organisation")


def new_api_key_id() -> str:
    return new_id("api_key")


def new_membership_id() -> str:
    return new_id("membership")


class UserManager(BaseUserManager.from_queryset(AuditedQuerySet)):  # type: ignore[misc]
    """Finds people by e-mail. Creating one goes through `accounts.services.people`, which records it."""

    def get_by_natural_key(self, email: str) -> "User":
        user: User = self.get(email__iexact=email)
        return user


class User(AuditedModel, AbstractBaseUser):
    """A person who signs in. Signing in is by passkey; `last_login` and `password` are not governed fields."""

    audit_type = "user"
    audited_fields = ("email", "display_name", "is_active")
    guarded_fields: ClassVar[tuple[str, ...] | None] = audited_fields

    public_id = models.CharField(max_length=40, unique=True, default=new_user_id, editable=False)
    email = models.EmailField(unique=True)
    display_name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    class Meta(AuditedModel.Meta):
        db_table = "trustcore_accounts_user"

    # The framework asks these of any user model. Rights come from memberships alone, so both are constant.
    is_staff = False
    is_superuser = False

    def __str__(self) -> str:
        return self.display_name

    def get_full_name(self) -> str:
        return self.display_name


class Organisation(AuditedModel):
    """A tenant: whose replicas, whose rules, whose log scope."""

    audit_type = "organisation"
    audited_fields = ("slug", "name")

    public_id = models.CharField(max_length=40, unique=True, default=new_organisation_id, editable=False)
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(AuditedModel.Meta):
        db_table = "trustcore_accounts_organisation"

    def __str__(self) -> str:
        return self.name

    @property
    def tenant(self) -> str:
        return self.slug


class Membership(AuditedModel):
    """One role of one person in one organisation. `title` is what they are there: Legal, Compliance."""

    audit_type = "membership"
    audited_fields = ("role", "title", "is_active")

    public_id = models.CharField(max_length=40, unique=True, default=new_membership_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in Role])
    title = models.CharField(max_length=60, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(AuditedModel.Meta):
        db_table = "trustcore_accounts_membership"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "organisation", "role"], name="membership_once_per_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role} at {self.organisation}"

    @property
    def tenant(self) -> str:
        return self.organisation.slug


class ApiKey(AuditedModel):
    """A program's key: a public prefix to find it, a hash to check it. The key itself is shown once and not kept."""

    audit_type = "api_key"
    audited_fields = ("name", "prefix", "scope", "revoked_at")
    guarded_fields: ClassVar[tuple[str, ...] | None] = ("name", "prefix", "secret_sha256", "scope", "revoked_at")

    public_id = models.CharField(max_length=40, unique=True, default=new_api_key_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, unique=True)
    secret_sha256 = models.CharField(max_length=64)
    scope = models.JSONField(default=list)  # list of Permission values
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta(AuditedModel.Meta):
        db_table = "trustcore_accounts_api_key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def tenant(self) -> str:
        return self.organisation.slug
