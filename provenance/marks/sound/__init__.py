"""The mark in the sound: the slot id of the picture's mark, spread over speech below what the ear can tell from it."""
