from provenance.models.checks import CheckRun, ClipCheck, ToldAnswer
from provenance.models.exports import Export
from provenance.models.manifests import MarkSlot, SessionManifest, SignedFile

__all__ = ["CheckRun", "ClipCheck", "Export", "MarkSlot", "SessionManifest", "SignedFile", "ToldAnswer"]
