"""How a viewer and a replica talk: hearing, timing, thinking, speaking. PURE of frameworks and of transport.

`seams` names the parts and what passes between them; each folder holds one part.
"""
