"""What a person may agree to: the closed lists of the scope form, and the one shape in which a scope is kept."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from trustcore.primitives.errors import Refusal

PURPOSES = {"support": "Customer support", "education": "Education", "marketing": "Marketing"}
AUDIENCES = {"adults": "Adults", "employees": "Employees of the organisation", "minors": "People under 18"}
# Neutral is always there: a replica that shows nothing cannot speak. Thousandths are the unit of every intensity.
EMOTIONS = {
    "joy": "Joy", "surprise": "Surprise", "sadness": "Sadness", "anger": "Anger",
    "fear": "Fear", "disgust": "Disgust", "contempt": "Contempt",
}  # fmt: skip
LANGUAGES = {
    "as": "Assamese", "bn": "Bengali", "en": "English", "hi": "Hindi", "sv": "Swedish", "de": "German", "fr": "French",
    "es": "Spanish",
}  # fmt: skip
TERRITORIES = {
    "IN": "India", "SE": "Sweden", "NO": "Norway", "DK": "Denmark", "DE": "Germany", "FR": "France", "ES": "Spain",
    "GB": "United Kingdom", "IE": "Ireland", "US": "United States", "CA": "Canada", "BR": "Brazil", "JP": "Japan",
    "SG": "Singapore", "AU": "Australia",
}  # fmt: skip
RELEASES = {
    "face": "My face",
    "voice": "My voice",
    "biometric": "Measurements of my face, to make and check the replica",
}
RETENTION_DAYS = {30: "30 days", 90: "90 days", 365: "One year", 1095: "Three years"}
MAX_YEARS = 10


class ScopeInvalid(Refusal):
    """A scope asks for something that is not on the list, or leaves out what the law wants written down."""

    code = "consent.scope_invalid"


@dataclass(frozen=True)
class Scope:
    """Everything one consent covers. Tuples are sorted, so that equal scopes have equal hashes."""

    purposes: tuple[str, ...]
    audiences: tuple[str, ...]
    emotions_max_milli: tuple[tuple[str, int], ...]
    languages: tuple[str, ...]
    territories: tuple[str, ...]
    releases: tuple[str, ...]
    retention_days: int
    expires_on: date

    def to_dict(self) -> dict[str, Any]:
        """JSON form, as signed in the receipt."""
        return {
            "purposes": list(self.purposes), "audiences": list(self.audiences),
            "emotions_max_milli": dict(self.emotions_max_milli), "languages": list(self.languages),
            "territories": list(self.territories), "releases": list(self.releases),
            "retention_days": self.retention_days, "expires_on": self.expires_on.isoformat(),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "Scope":
        """Reverse of `to_dict`, sorting what is a set. Raises KeyError, TypeError or ValueError on another shape."""
        return cls(
            purposes=tuple(sorted(stored["purposes"])),
            audiences=tuple(sorted(stored["audiences"])),
            emotions_max_milli=tuple(
                sorted((name, int(milli)) for name, milli in stored["emotions_max_milli"].items())
            ),
            languages=tuple(sorted(stored["languages"])),
            territories=tuple(sorted(stored["territories"])),
            releases=tuple(sorted(stored["releases"])),
            retention_days=int(stored["retention_days"]),
            expires_on=date.fromisoformat(stored["expires_on"]),
        )


def check_scope(scope: Scope, today: date) -> None:
    """Raises ScopeInvalid, naming the field in `facts`, unless the scope may be agreed to today."""
    _check_choices("purposes", scope.purposes, PURPOSES, "Choose at least one purpose.")
    _check_choices("audiences", scope.audiences, AUDIENCES, "Choose at least one audience.")
    _check_choices("languages", scope.languages, LANGUAGES, "Choose at least one language.")
    _check_choices("territories", scope.territories, TERRITORIES, "Choose at least one country.")
    missing = [text for name, text in RELEASES.items() if name not in scope.releases]
    if missing or not set(scope.releases) <= set(RELEASES):
        raise ScopeInvalid("A replica needs each of the three releases. Tick all three, or decline.", field="releases")
    for name, milli in scope.emotions_max_milli:
        if name not in EMOTIONS or not 0 <= milli <= 1000:
            raise ScopeInvalid("An emotion's limit is a number from 0 to 1000.", field="emotions")
    if scope.retention_days not in RETENTION_DAYS:
        raise ScopeInvalid("Choose how long recordings may be kept.", field="retention_days")
    if scope.expires_on <= today:
        raise ScopeInvalid("Choose an end date after today.", field="expires_on")
    if scope.expires_on > last_day(today):
        raise ScopeInvalid(
            f"A consent lasts at most {MAX_YEARS} years. Choose an earlier end date.", field="expires_on"
        )


def last_day(today: date) -> date:
    """The latest end date a consent may have when given today."""
    # 29 February has no tenth anniversary; the day before is inside the limit.
    day = 28 if (today.month, today.day) == (2, 29) else today.day
    return today.replace(year=today.year + MAX_YEARS, day=day)


def _check_choices(field: str, chosen: tuple[str, ...], allowed: dict[str, str], empty: str) -> None:
    if not chosen:
        raise ScopeInvalid(empty, field=field)
    unknown = sorted(set(chosen) - set(allowed))
    if unknown:
        raise ScopeInvalid(f"{unknown[0]} is not on the list. Choose from the list.", field=field)
