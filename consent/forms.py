"""Read forms into values. Every choice is on a closed list; nothing here decides."""

from datetime import date
from typing import Any

from django import forms

from consent.scope import (
    AUDIENCES,
    EMOTIONS,
    LANGUAGES,
    PURPOSES,
    RELEASES,
    RETENTION_DAYS,
    TERRITORIES,
    Scope,
    last_day,
)
from consent.services import notices

LEVELS = {0: "Not at all", 300: "Mildly", 600: "Clearly", 1000: "Strongly"}


def _several(choices: dict[str, str], empty: str) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        choices=list(choices.items()), widget=forms.CheckboxSelectMultiple, error_messages={"required": empty}
    )


class ScopeForm(forms.Form):
    """The limits a person sets. Nothing is ticked beforehand."""

    purposes = _several(PURPOSES, "Choose at least one purpose.")
    audiences = _several(AUDIENCES, "Choose at least one audience.")
    languages = _several(LANGUAGES, "Choose at least one language.")
    territories = _several(TERRITORIES, "Choose at least one country.")
    retention_days = forms.TypedChoiceField(
        choices=list(RETENTION_DAYS.items()), coerce=int, widget=forms.RadioSelect,
        error_messages={"required": "Choose how long recordings may be kept."},
    )  # fmt: skip
    expires_on = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}), error_messages={"required": "Choose the day on which it ends."}
    )
    releases = _several(RELEASES, "A replica needs each of the three releases. Tick all three, or decline.")

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["expires_on"].widget.attrs |= {"min": today.isoformat(), "max": last_day(today).isoformat()}
        for name, label in EMOTIONS.items():
            self.fields[f"emotion_{name}"] = forms.TypedChoiceField(
                label=label, choices=list(LEVELS.items()), coerce=int, initial=0, required=False, empty_value="0"
            )

    @property
    def emotion_fields(self) -> list[Any]:
        return [self[f"emotion_{name}"] for name in EMOTIONS]

    def scope(self) -> Scope:
        """The scope of a valid form. Emotions set to nothing are left out, as if they had not been asked about."""
        clean = self.cleaned_data
        emotions = {name: int(clean[f"emotion_{name}"]) for name in EMOTIONS if int(clean[f"emotion_{name}"])}
        return Scope.from_dict(
            {
                "purposes": clean["purposes"], "audiences": clean["audiences"], "emotions_max_milli": emotions,
                "languages": clean["languages"], "territories": clean["territories"], "releases": clean["releases"],
                "retention_days": clean["retention_days"], "expires_on": clean["expires_on"].isoformat(),
            }
        )  # fmt: skip


class InviteForm(forms.Form):
    """Whom to invite, and what for."""

    name = forms.CharField(max_length=120, label="Name", help_text="As the person writes it.")
    email = forms.EmailField(max_length=254, label="E-mail")
    asked_for = forms.CharField(max_length=160, label="What for", help_text="The person reads this: “Claims helpdesk”.")
    language = forms.ChoiceField(label="Language of the notice")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [(code, LANGUAGES[code]) for code in notices.languages()]  # type: ignore[attr-defined]


class ReasonForm(forms.Form):
    """A reason in somebody's own words."""

    reason = forms.CharField(max_length=400, min_length=3, label="Reason")
