from provenance.models.checks import ClipCheck
from provenance.models.exports import Export
from provenance.models.manifests import MarkSlot, SessionManifest, SignedFile

__all__ = ["ClipCheck", "Export", "MarkSlot", "SessionManifest", "SignedFile"]
