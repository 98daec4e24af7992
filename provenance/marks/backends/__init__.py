"""Watermarks behind one seam: ours, which every stream carries, and others for comparison and compatibility.

    backend = WaveletMark("dwtDctSvd")
    backend.embed(planes, MarkContext(slot_id, slot_index, frame_number))   # in place
    soft = backend.soft_bits(frames)                                        # what a clip says
    slot_id = soft.payload()                                                # or None

Only our own mark has a key, a presence test and a bounded false-positive rate. What another backend reads is a number
whose checksum fits, which one try in 65,536 on noise also gives: believe it only if it is the id of a known slot.
"""

from provenance.marks.backends.library import RivaGanMark, WaveletMark
from provenance.marks.backends.own import OwnMark
from provenance.marks.backends.seam import MarkBackend, MarkContext, SoftBits
from provenance.marks.backends.torchscript import TorchScriptMark

__all__ = [
    "MarkBackend", "MarkContext", "OwnMark", "RivaGanMark", "SoftBits", "TorchScriptMark", "WaveletMark",
]
