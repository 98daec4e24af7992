"""The shapes of the /v2/ API: Tavus field names in both spellings, our own keys beside them.
Unknown fields are ignored, as Tavus does.
"""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from provenance.manifests.frame_codecs import CODECS
from rendering.protocol import RUNG_NAMES
from rendering.services.opening import Wish
from trustcore.policy import perception
from trustcore.policy.clamp import DEFAULT_MILLI, EMOTION_WORDS
from trustcore.policy.content import CONTEXTS
from trustcore.primitives.grants import EMOTIONS

LANGUAGES = {
    "english": "en", "hindi": "hi", "bengali": "bn", "assamese": "as", "swedish": "sv", "german": "de", "french": "fr",
    "spanish": "es",
    "multilingual": "en",
}
USE_FIELDS = ("purpose", "audience", "country", "language", "context_of_use")


class EmotionField(serializers.Field):
    """ "joy", or {"name": "joy", "milli": 700}."""

    def to_internal_value(self, data: Any) -> tuple[str, int]:
        name, milli = (
            (data.get("name"), data.get("milli", DEFAULT_MILLI)) if isinstance(data, dict) else (data, DEFAULT_MILLI)
        )
        word = EMOTION_WORDS.get(str(name).lower())
        if word is None:
            raise serializers.ValidationError(f"Choose one of {', '.join(EMOTIONS)}.")
        if isinstance(milli, bool) or not isinstance(milli, int) or not 0 <= milli <= 1000:
            raise serializers.ValidationError("milli is a whole number from 0 to 1000.")
        return word, 0 if word == "neutral" else milli

    def to_representation(self, value: Any) -> Any:
        return value


class PropertiesIn(serializers.Serializer[Any]):
    """Tavus' `properties`, and some of our own. What is not here is kept and has no effect.

    `audio_only` (Tavus): one sealed picture to begin with, then sound alone. `max_rung`: the best that the viewer may
    get. `relay_only`: no packet but through the TURN servers, so that neither side learns the other's address.
    """

    max_call_duration = serializers.IntegerField(min_value=10, max_value=14_400, required=False)
    participant_absent_timeout = serializers.IntegerField(min_value=10, max_value=3600, required=False)
    enable_recording = serializers.BooleanField(required=False)
    language = serializers.CharField(max_length=40, required=False)
    video_codec = serializers.ChoiceField(choices=tuple(CODECS), required=False)
    audio_only = serializers.BooleanField(required=False)
    max_rung = serializers.ChoiceField(choices=RUNG_NAMES, required=False)
    relay_only = serializers.BooleanField(required=False)

    def validate_relay_only(self, value: bool) -> bool:
        if value and not settings.TURN_URLS:
            raise serializers.ValidationError("This service has no TURN server. Leave it out.")
        return value


class ConversationIn(serializers.Serializer[Any]):
    """The body of POST /v2/conversations."""

    replica_id = serializers.CharField(max_length=40, required=False)
    face_id = serializers.CharField(max_length=40, required=False)
    persona_id = serializers.CharField(max_length=40, required=False)
    pal_id = serializers.CharField(max_length=40, required=False)
    conversation_name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    conversational_context = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    custom_greeting = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    callback_url = serializers.URLField(max_length=500, required=False, allow_blank=True)
    properties = PropertiesIn(required=False)
    emotion = EmotionField(required=False)
    purpose = serializers.CharField(max_length=24, required=False)
    audience = serializers.CharField(max_length=24, required=False)
    country = serializers.CharField(max_length=2, min_length=2, required=False)
    language = serializers.CharField(max_length=24, required=False)
    context_of_use = serializers.CharField(max_length=24, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["replica_id"] = attrs.get("replica_id") or attrs.get("face_id") or ""
        attrs["persona_id"] = attrs.get("persona_id") or attrs.get("pal_id") or ""
        if not attrs["replica_id"] and not attrs["persona_id"]:
            raise serializers.ValidationError(
                {"replica_id": ["Name a replica, or a persona that has a default replica."]}
            )
        return attrs


def wish_from(attrs: dict[str, Any], persona: Any) -> Wish:
    """What the caller asks for; words it does not say come from the persona's default use, else
    stay unknown and so refused.
    """
    properties = attrs.get("properties") or {}
    use = {**(persona.default_use if persona else {}), **{name: attrs[name] for name in USE_FIELDS if attrs.get(name)}}
    language = str(use.get("language") or properties.get("language") or "en").lower()
    emotion, milli = attrs.get("emotion") or ("neutral", 0)
    return Wish(
        replica_id=attrs["replica_id"] or (persona.default_replica_id if persona else ""), persona=persona,
        purpose=str(use.get("purpose") or ""), audience=str(use.get("audience") or ""),
        country=str(use.get("country") or "").upper(),
        language=LANGUAGES.get(language, language.split("-")[0]),
        context_of_use=_context_of_use(use),
        conversation_name=attrs.get("conversation_name", ""),
        conversational_context=attrs.get("conversational_context", ""),
        custom_greeting=attrs.get("custom_greeting", ""), callback_url=attrs.get("callback_url", ""), emotion=emotion,
        emotion_milli=milli,
        properties=dict(properties), max_duration_s=properties.get("max_call_duration", 3600),
        absent_timeout_s=properties.get("participant_absent_timeout", 300),
        is_recorded=properties.get("enable_recording", True),
    )


def _context_of_use(use: dict[str, Any]) -> str:
    """Where the viewer is. The law asks, so nobody may leave it out; who does not know says "unknown"."""
    context = str(use.get("context_of_use") or "")
    if context not in CONTEXTS:
        raise serializers.ValidationError({"context_of_use": [f"Say where the viewer is: {', '.join(CONTEXTS)}."]})
    return context


class InteractionIn(serializers.Serializer[Any]):
    """The body of POST /v2/interactions: one app message for a running conversation."""

    conversation_id = serializers.SlugField(max_length=40)
    event_type = serializers.ChoiceField(
        choices=["conversation.respond", "conversation.set_emotion", "conversation.interrupt",
                 "conversation.tool_result"]
    )
    properties = serializers.DictField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Words that Tavus clients use for an emotion become those that policies know."""
        properties = dict(attrs.get("properties") or {})
        wish = properties.get("emotion")
        if attrs["event_type"] == "conversation.respond" and not str(properties.get("text") or "").strip():
            raise serializers.ValidationError({"properties": ["Say what to respond to in properties.text."]})
        if attrs["event_type"] == "conversation.set_emotion":
            properties.pop("text", None)
            wish = wish if wish is not None else ""
        if wish is not None:
            properties["emotion"] = EMOTION_WORDS.get(str(wish).lower(), str(wish))
        return {**attrs, "properties": properties}


class UseIn(serializers.Serializer[Any]):
    purpose = serializers.CharField(max_length=24, required=False)
    audience = serializers.CharField(max_length=24, required=False)
    country = serializers.CharField(max_length=2, min_length=2, required=False)
    language = serializers.CharField(max_length=24, required=False)
    context_of_use = serializers.CharField(max_length=24, required=False)


class PersonaIn(serializers.Serializer[Any]):
    """The body of POST /v2/personas."""

    persona_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    pal_name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    system_prompt = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    context = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    pipeline_mode = serializers.ChoiceField(choices=["full", "echo"], required=False)
    default_replica_id = serializers.CharField(max_length=40, required=False, allow_blank=True)
    default_face_id = serializers.CharField(max_length=40, required=False, allow_blank=True)
    layers = serializers.DictField(required=False)
    default_use = UseIn(required=False)

    def validate_layers(self, value: dict[str, Any]) -> dict[str, Any]:
        if len(str(value)) > 20_000:
            raise serializers.ValidationError("layers is too long.")
        asked = value.get("perception", {})
        if not isinstance(asked, dict) or asked.get("emotion_recognition", "off") not in perception.ASKED:
            raise serializers.ValidationError(
                f"perception.emotion_recognition is one of {', '.join(perception.ASKED)}.")
        return value

    def model_values(self) -> dict[str, Any]:
        attrs = self.validated_data
        return {
            "persona_name": attrs.get("persona_name") or attrs.get("pal_name") or "persona",
            "system_prompt": attrs.get("system_prompt", ""), "context": attrs.get("context", ""),
            "pipeline_mode": attrs.get("pipeline_mode", "full"),
            "default_replica_id": attrs.get("default_replica_id") or attrs.get("default_face_id") or "",
            "layers": dict(attrs.get("layers") or {}), "default_use": dict(attrs.get("default_use") or {}),
        }
