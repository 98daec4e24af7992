"""What one slot holds for all its leases: configuration, control, gate, clock, frame parts, voices, ears, threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rendering.dialogue.hearing.sphinx import SphinxEars
from rendering.dialogue.recognisers.whisper import WhisperEars
from rendering.speech.voices import pick_voice
from rendering.worker.config import WorkerConfig
from rendering.worker.control import ControlClient
from rendering.worker.frame_parts import CPU_PARTS, FrameParts
from rendering.worker.gate import Gate
from rendering.worker.pronouncing import Voice
from trustcore.primitives.clock import Clock


@dataclass
class SlotTools:
    """One frame thread, because pictures are made in order; one for speech, so that a sentence holds up no picture."""

    config: WorkerConfig
    control: ControlClient
    gate: Gate
    clock: Clock
    log: Callable[[str], None]
    parts: FrameParts = CPU_PARTS
    frame_thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "frames"))
    speech_thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "speech"))
    hearing_thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "hearing"))
    ears: SphinxEars = field(default_factory=SphinxEars)
    whisper: WhisperEars | None = None  # its model is read once and serves every session
    _voices: dict[str, Voice] = field(default_factory=dict)

    def voice_for(self, language: str) -> Voice:
        """The voice of a language, made once and kept."""
        short = language.split("-")[0].lower() or "en"
        if short not in self._voices:
            self._voices[short] = pick_voice(short)
        return self._voices[short]

    def whisper_in(self, folder: Path, within_s: float) -> WhisperEars:
        """The recogniser with the operator's model, made once and kept, in a thread of its own."""
        if self.whisper is None:
            self.whisper = WhisperEars(folder, self.hearing_thread, within_s)
        return self.whisper

    def use(self, config: WorkerConfig) -> None:
        """Another configuration from the next lease on."""
        self.config = config
        self.control.config = config

    def close(self) -> None:
        self.ears.close()
        self.frame_thread.shutdown(wait=False, cancel_futures=True)
        self.speech_thread.shutdown(wait=False, cancel_futures=True)
        self.hearing_thread.shutdown(wait=False, cancel_futures=True)
