"""What rendering lends to consent and provenance, which may not import it: bound by settings, made
without arguments.
"""

from datetime import datetime, timedelta
from typing import Any

from consent import selectors as consents
from consent.scope import LANGUAGES, TERRITORIES
from consent.seams import Use, Waiting
from rendering import selectors
from rendering.models import Conversation, LiveState, Recording, ReplicaVersion
from rendering.services import recordings, service_levels
from trustcore.audit.actors import Actor
from trustcore.audit.models import Event
from trustcore.keys.errors import KeyMissing
from trustcore.policy.decisions import MESSAGES
from trustcore.primitives.clock import utc_now

LIVE = ("joining", "live")


class UseLedger:
    """Every use of a person's face: sessions held, and requests that were refused."""

    def uses(self, subject_public_id: str, since: datetime) -> list[Use]:
        """Newest first."""
        rows = Conversation.objects.filter(subject_public_id=subject_public_id, created_at__gte=since).select_related(
            "organisation", "persona", "live_state").order_by("-created_at")[:500]
        refused = Event.objects.filter(
            action="conversation.refused", at__gte=since, object_id__in=_replica_ids(subject_public_id)
        )[:500]
        uses = [_use(row) for row in rows if row.viewer_bound_at] + [_refused(event) for event in refused]
        return sorted(uses, key=lambda use: use.at, reverse=True)

    def live_count(self, subject_public_id: str) -> int:
        return Conversation.objects.filter(subject_public_id=subject_public_id, state__in=LIVE).count()


def _replica_ids(subject_public_id: str) -> list[str]:
    found = ReplicaVersion.objects.filter(replica__subject_public_id=subject_public_id)
    return list(found.values_list("replica__public_id", flat=True).distinct())


def _use(row: Conversation) -> Use:
    body = row.grant["body"]
    live = LiveState.objects.filter(conversation=row).first()
    counters = live.counters if live else {}
    seconds = ((row.ended_at or utc_now()) - row.live_at).total_seconds() if row.live_at else 0.0
    outcome, verdict = f"{counters.get('sent', 0):,} frames sent, every one signed", "pass"
    if counters.get("unsealed_sent"):
        outcome, verdict = f"{counters['unsealed_sent']} frames sent unsigned", "fail"
    elif row.state in LIVE:
        outcome, verdict = "speaking now", "live"
    elif not counters.get("sent"):
        outcome, verdict = "no picture was sent", "none"
    elif live and live.clamp_count:
        outcome, verdict = f"lowered {live.clamp_count} times, as the policy says", "warn"
    minutes = f"{max(1, round(seconds / 60))} min" if seconds else "never connected"
    return Use(
        at=row.created_at,
        title=row.conversation_name or (row.persona.persona_name if row.persona else row.organisation.name),
        fact=", ".join([
            body["purpose"].title(), _named(LANGUAGES, body["language"]), _named(TERRITORIES, body["country"]), minutes,
        ]),
        outcome=outcome,
        verdict=verdict,
        purpose=body["purpose"],
        seconds=seconds,
    )


def _named(names: dict[str, str], code: str) -> str:
    return names.get(code, code)


def _refused(event: Event) -> Use:
    told = event.details.get("open", {})
    reason = str((told.get("reasons") or ["refused"])[0])
    return Use(
        at=event.at, title="Refused",
        fact=f"{str(told.get('purpose', '')).title()}, {_named(TERRITORIES, str(told.get('country', '')))}",
        outcome=MESSAGES.get(reason, reason), verdict="fail", purpose=str(told.get("purpose", "")), seconds=0.0)


class InboxSource:
    """What the decisions page shows of replicas and live sessions."""

    def waiting(self, user: Any, organisation: Any) -> list[Waiting]:
        """Trained versions that nobody has sent for signatures. Signatures themselves are consent's own rows."""
        now, rows = utc_now(), []
        found = ReplicaVersion.objects.filter(replica__organisation=organisation, state="trained").select_related(
            "replica__organisation", "footage", "author").order_by("replica_id", "-number").distinct("replica_id")
        for version in found:
            if selectors.standing(version, now=now).word == "trained":
                subject = consents.subject(version.subject_public_id)
                rows.append(Waiting(
                    kind="Replica", title=f"Version {version.number} of {version.replica.name}",
                    sentence="It is trained and waits to be sent for signatures.",
                    url=f"/console/replicas/{version.replica.public_id}/v/{version.number}/", due_at=None,
                    picture_url=subject.picture_url, initials=subject.initials))
        return rows

    def live(self, organisation: Any) -> dict[str, Any]:
        """{"sessions", "replicas", "verdicts", "unsealed_sent"}"""
        rows = selectors.live_conversations(organisation)
        states = LiveState.objects.filter(conversation__in=rows)
        alarms = [row.live_state for row in selectors.unsealed_lately(organisation, now=utc_now())]
        unsealed = sum(state.counters.get("unsealed_sent", 0) for state in [*states, *alarms])
        late = sum(1 for state in states if utc_now() - state.seen_at > timedelta(seconds=6))
        verdicts = [("pass", f"{len(rows) - late} signed")] if len(rows) > late else []
        verdicts += [("warn", f"{late} without news")] if late else []
        return {
            "sessions": len(rows),
            "replicas": len({row.version.replica_id for row in rows}),
            "verdicts": verdicts,
            "unsealed_sent": unsealed,
        }


class EvidenceSource:
    """Reports and recordings that an export names."""

    def documents(self, *, tenant: str, subject_public_id: str, object_ids: frozenset[str]) -> dict[str, bytes]:
        """Documents as "folder/name" -> bytes. A recording whose subject's key is gone is left out:
        it cannot be read by anybody.
        """
        found = {} if subject_public_id else service_levels.documents_of(tenant, object_ids)
        rows = Recording.objects.filter(conversation__organisation__slug=tenant).select_related(
            "conversation__organisation"
        )
        for row in rows:
            if subject_public_id and row.subject_public_id != subject_public_id:
                continue
            if row.conversation.public_id in object_ids or row.public_id in object_ids:
                try:
                    found[f"recordings/{row.conversation.public_id}.fragments.mp4"] = recordings.open_fragments(
                        row, actor=Actor.system("export")
                    )
                    found[f"recordings/{row.conversation.public_id}.mp4"] = recordings.open_signed(
                        row, actor=Actor.system("export")
                    )
                except KeyMissing:
                    continue
        return found
