"""Personas: made by integrators, kept as the Tavus API knows them."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from rendering.errors import PersonaMissing
from rendering.models import Persona
from rendering.services import persona_layers
from trustcore.accounts.models import Organisation
from trustcore.audit import recording
from trustcore.audit.actions import Action
from trustcore.audit.actors import Actor
from trustcore.primitives.ids import new_id


def create(*, actor: Actor, organisation: Organisation, values: Mapping[str, Any]) -> Persona:
    """A new persona from checked field values.

    Raises:
        PersonaSecretRefused, PersonaAddressRefused: its layers carry what may not be stored.
    """
    persona_layers.check(values.get("layers") or {}, settings.CHAT_ADDRESSES)
    persona = Persona(public_id=new_id("persona"), organisation=organisation, **values)
    with recording.recording(actor=actor, action=Action.PERSONA_CREATED, obj=persona):
        persona.save(force_insert=True)
    return persona


def of_organisation(organisation: Organisation) -> Any:
    return Persona.objects.filter(organisation=organisation).order_by("-created_at")


def find(organisation: Organisation, public_id: str) -> Persona:
    """Raises PersonaMissing when this organisation has no such persona."""
    found = of_organisation(organisation).filter(public_id=public_id).first()
    if found is None:
        raise PersonaMissing("There is no such persona.", persona=public_id)
    return found
