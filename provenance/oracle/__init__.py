"""Rules for a detector that anybody may ask: what an answer may teach, and how often one may ask. PURE."""
