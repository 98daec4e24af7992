"""What an approver looks at: a film of held-out moments beside the replica, where it errs, how lips go with sound.

`made.added_to(...)` makes them all at the end of a training, in memory; they are stored encrypted like the replica.
"""
