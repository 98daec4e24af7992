"""More of what is said, for training and development alone: the held-out part has none of it.

In the form of `texts.py`. Settings chosen on few texts fit those sentences and no others.
"""

from __future__ import annotations

from dataclasses import dataclass

Asked = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Texts:
    """Questions with answers, statements, questions of the viewer, and ways to go on."""

    asked: tuple[Asked, ...] = ()
    statements: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    added: tuple[tuple[str, str], ...] = ()


TRAIN = Texts(
    asked=(
        ("Which colour do you want?", ("the dark | green one", "blue | if you have it", "something | brighter")),
        ("How far is it from your house?",
         ("around | twenty minutes", "it's just | across the road", "two miles | or so")),
        ("Can you hear me well?", ("yes | very well", "not | really", "yes much better | now")),
        ("What happened next?",
         ("we waited for | nearly an hour", "the driver told us | to get out", "nothing | at all")),
        ("What is your order number?", ("nine nine | one four | three", "it's zero five | two two | eight")),
        ("Who told you that?", ("a lady from | your office", "i read it | in the paper", "my neighbour's | son")),
        ("When can we come by?", ("any day | except friday", "tomorrow | before lunch", "on saturday | around ten")),
        ("How do you feel about it?",
         ("i'm a bit | worried to be honest", "i think it's | a good idea", "rather | tired")),
        ("Where did you leave it?",
         ("on the table | by the door", "in the back of | a taxi", "at my | parents' place")),
        ("Do you have a garden?", ("yes a | very small one", "no we live on | the fourth floor", "yes | we do")),
        ("Why are you leaving so early?",
         ("i have to | catch a train", "because my | children are alone", "it's getting | dark")),
        ("What would you change?",
         ("i would make | the letters bigger", "the colour of | the walls", "nothing | i like it")),
    ),
    statements=(
        "the water in | the kitchen is cold", "my phone keeps | ringing at night", "we ordered | two of them",
        "i want to know if | there is a discount", "the lift is | out of order", "she asked for | a bigger desk",
        "he works for | a bank in delhi", "i usually take | the early bus", "they promised me | a new key",
        "i can't remember | his name", "the path is | covered with leaves", "you should see | our new office",
    ),
    questions=(
        "how much does | the ticket cost", "can i pay | by card", "do i have to | come in person",
        "what time does | it start", "could you speak | a little louder", "is that | the last one",
        "where can i | find the form", "who is going to | fix it",
    ),
    added=(
        ("and", "the light | stays on"), ("but", "we already | paid for it"), ("because", "my mother | is ill"),
        ("so", "i had to | cancel it"), ("if", "it doesn't | rain"), ("and then", "the door | was locked"),
        ("although", "i would prefer | a smaller one"), ("or", "maybe | on tuesday"), ("but", "there was | no answer"),
        ("and", "i don't know | what to do"), ("when", "you have | the time"), ("which", "was | a surprise"),
    ),
)  # fmt: skip
DEVELOPMENT = Texts(
    asked=(
        ("What kind of room do you need?",
         ("one with | two beds", "a room on | the ground floor", "just a | single room")),
        ("How long have you lived there?", ("for about | twelve years", "since | last march", "not very | long")),
        ("Did you bring your papers?", ("yes | all of them", "no i left them | at home", "i think | so")),
        ("What is the number on the card?", ("five eight | two seven | zero one", "four four | six | nine three")),
        ("Where should we meet?", ("in front of | the library", "at the | north gate", "maybe at | your place")),
        ("When did it begin?", ("it started | two weeks ago", "on monday | i believe", "some time in | early april")),
        ("Who takes care of the animals?",
         ("my uncle | and his wife", "we all | do a little", "a boy from | the village")),
        ("Why don't you like it?", ("it makes me | feel sleepy", "the taste is | too strong", "i just | don't")),
        ("How many cups do you drink?", ("three or four | a day", "only | one", "at least | six in winter")),
        ("What are you looking for?", ("a present for | my niece", "i need | a longer cable", "something | to read")),
        ("Is the shop still open?", ("no it closed | an hour ago", "yes | until nine", "i have | no idea")),
        ("What did you think of the film?",
         ("it was a little | too long", "i really enjoyed | the music", "not | bad")),
        ("Which road did you take?", ("the one along | the coast", "we came through | the hills", "the usual | one")),
        ("Would you come again?", ("of course | i would", "yes but | not alone", "probably | not")),
    ),
    statements=(
        "the window in | my room is broken", "i received | the wrong shoes", "we would like to | book a table",
        "my brother bought | an old boat", "the printer has | no paper left", "i'm trying to | open the file",
        "there is a problem with | the gas bill", "it takes me | an hour to get there", "the soup was | almost cold",
        "i gave the key to | the man downstairs", "somebody took | my chair", "the teacher wants | a signed note",
    ),
    questions=(
        "what do i | need to bring", "can you | tell me more", "how far is | the station", "is breakfast | included",
        "when will | the doctor be back", "could i | change the date", "which bus goes to | the airport",
        "do you have | anything cheaper",
    ),
    added=(
        ("and", "the screen | is cracked"), ("but", "my wife | doesn't agree"), ("because", "it was | too heavy"),
        ("so", "we went | by train"), ("if", "that's | possible"), ("and then", "it stopped | working"),
        ("although", "the price | was fine"), ("or", "at least | a smaller one"), ("but", "i forgot | to ask"),
        ("and", "they never | called back"), ("when", "the rain | stops"), ("which", "makes it | difficult"),
        ("while", "my parents | are here"), ("unless", "it's | very expensive"),
    ),
)  # fmt: skip
