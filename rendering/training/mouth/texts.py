"""What the training voices say: sentences drawn from patterns over word lists, in the four languages of the product.

The English test sentences are written by hand, rich in p, b, m, f, v and w, and are never trained on.
"""

from __future__ import annotations

import numpy as np


def words(text: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(text.split())


_EN_NAMES = words("""Anna Ben Priya Omar Lucy Peter Mabel Victor Wendy Paul Maria Tom Bina Farid George Hana Joy Leo
Ruth Sam Toby Yusuf Zara Emma Philip Vera Walter Kim Nina Bob""")
_EN_PEOPLE = words("""mother father baker farmer pilot teacher painter driver neighbour manager nurse judge child
woman man officer singer boy girl plumber writer doctor sailor captain shepherd guest weaver
mayor buyer builder""")
_EN_THINGS = words("""apple book bottle map pump lamp table river window paper boat bridge garden camera basket
ribbon shoe cup button pipe vase film fence valley wave wall wheel watch weather oven cloth
thumb tooth path feather letter judge chair shed church measure jacket voice house flower
shovel spoon moon room foot cook wood yard year ear bird word church toy coin oil boy cloud
crowd ground tower pencil box bus cabin piano photo umbrella volume message mirror number
pepper parcel planet pillow package pocket problem question rope rubber sample shelf spring
stamp summer temple tomato towel train tunnel uniform vegetable village violin wagon whistle
zebra engine field finger forest fruit glass hammer harbour island jar kettle key kitchen
ladder leaf lemon lion machine market meadow medal milk morning mountain museum needle onion
orange owl package palm park pear person picture plane plate pool potato puzzle rabbit radio
rain road roof sand school shirt soap soup stone storm street sugar sun ticket tiger tool tree
truck wind wing wolf worm yarn""")
_EN_VERBS = words("""bring break move paint push carry follow remember watch open cover borrow choose build find
throw lift measure shake wash buy save sell show visit warm feed fold join keep leave like make
mend need offer pack pass pick place plan plant play pull put raise reach read repair send
serve share shut sign spell spread start stop sweep take teach tell thank touch try turn use
wait want weigh wipe write admire improve prepare prefer permit""")
_EN_ADJECTIVES = words("""big blue warm purple small heavy empty famous broken simple wooden yellow very old beautiful
dangerous careful young soft green sharp smooth round thick thin loud proud modern vivid mighty
cheap fresh happy funny brave bitter bumpy calm clever common deep dim dry early easy fair fat
flat foggy free full gentle golden grey hard high hollow hot huge humble important jolly kind
large late lazy light little lively long lovely low lucky narrow new nice odd open orange
perfect plain pleasant poor possible private pure quick quiet rapid rare ready red rich ripe
rough sad safe same serious shallow short shy silver slow solid sour special strange strong
sudden sweet swift tall tidy tiny tough usual violent visible weak wet whole wide wild wise
wonderful""")
_EN_PLACES = words("""market garden harbour village museum office kitchen station forest library beach bridge valley
corner roof cellar hospital theatre university farm factory cafe airport park workshop""")
_EN_TIMES = (
    "today", "tomorrow", "yesterday", "tonight", "sometimes", "before", "lunch", "this", "morning", "every",
    "Friday", "in", "May", "at", "five", "in", "the evening", "after", "supper", "once", "a", "month", "last",
    "week", "next", "summer", "before", "dawn", "on", "Monday", "twice", "a", "year",
)
_EN_NUMBERS = words("""one two three four five six seven eight nine ten eleven twelve thirteen fifteen twenty forty
fifty sixty eighty a hundred""")

_EN_PATTERNS = (
    "The {a} {p} will {v} the {t} near the {w}.",
    "{n} and {n} {v} {c} {a} {t}s {h}.",
    "Can you {v} my {t}, or should the {p} {v} it?",
    "Please {v} the {a} {t} before the {p} {v}s the {t}.",
    "I think that {n} may {v} a {t} in the {w}.",
    "Why did the {p} {v} {c} {t}s and one {a} {t}?",
    "We {v} and {v}, but the {t} is too {a} for {n}.",
    "{n}, the {a} {p}, would never {v} your {t}.",
    "There are {c} {t}s, {c} {t}s and a {a} {t} on the {t}.",
    "If you {v} it {h}, the {p} from the {w} will be {a}.",
)

# Common words; what the sentences mean matters less than which sounds follow which.
_HI = words("""मैं हम आप वह यह मेरा हमारा आपका भाई बहन माँ पिता बाबा बच्चा लड़का लड़की आदमी औरत पानी दूध चाय
चावल रोटी फल आम सेब केला पपीता किताब कलम मेज़ कुर्सी घर दरवाज़ा खिड़की बाज़ार गाँव शहर नदी
पहाड़ पेड़ फूल पत्ता बारिश धूप हवा बादल सुबह शाम रात दिन महीना साल बड़ा छोटा अच्छा बुरा नया
पुराना लंबा मोटा पतला मीठा ठंडा गरम साफ़ भारी हल्का सफ़ेद काला लाल पीला नीला हरा एक दो तीन चार
पाँच छह सात आठ नौ दस बोलो देखो सुनो चलो बैठो पढ़ो लिखो खाओ पियो लाओ भेजो बनाओ समझो पूछो मिलो
बदलो सकता चाहिए होगा था है हैं नहीं भी बहुत थोड़ा ज़रूर शायद कभी हमेशा आज कल परसों जल्दी धीरे
ऊपर नीचे पास दूर प्रेम मित्र समय काम नाम भाषा व्यापार विश्वास भविष्य पुस्तक मौसम इमारत ज्ञान
घंटा झूठ ठीक डर ढोल शक्कर षड्यंत्र क्षमा त्योहार फ़ोन वृक्ष ख़बर ग़लत""")
_BN = words("""আমি আমরা আপনি তুমি সে এটা আমার আমাদের তোমার ভাই বোন মা বাবা শিশু ছেলে মেয়ে মানুষ জল দুধ চা ভাত
রুটি ফল আম আপেল কলা পেঁপে বই কলম টেবিল চেয়ার ঘর দরজা জানালা বাজার গ্রাম শহর নদী পাহাড় গাছ ফুল
পাতা বৃষ্টি রোদ বাতাস মেঘ সকাল বিকেল রাত দিন মাস বছর বড় ছোট ভালো খারাপ নতুন পুরানো লম্বা মোটা
পাতলা মিষ্টি ঠান্ডা গরম পরিষ্কার ভারী হালকা সাদা কালো লাল হলুদ নীল সবুজ এক দুই তিন চার পাঁচ ছয়
সাত আট নয় দশ বলো দেখো শোনো চলো বসো পড়ো লেখো খাও আনো পাঠাও বানাও বোঝো মিলো বদলাও পারে হবে ছিল
আছে নেই খুব একটু নিশ্চয় হয়তো কখনো সবসময় আজ কাল তাড়াতাড়ি ধীরে উপরে নিচে কাছে দূরে প্রেম
বন্ধু সময় কাজ নাম ভাষা ব্যবসা বিশ্বাস ভবিষ্যৎ পুস্তক আবহাওয়া জ্ঞান ঘণ্টা মিথ্যা ঠিক ভয় ঢোল
চিনি ক্ষমা উৎসব ফোন খবর ভুল মুখ বৌ ঐক্য""")
_AS = words("""মই আমি আপুনি তুমি সি এইটো মোৰ আমাৰ তোমাৰ ভাই ভনী মা দেউতা শিশু ল'ৰা ছোৱালী মানুহ পানী গাখীৰ চাহ
ভাত ৰুটি ফল আম আপেল কল অমিতা কিতাপ কলম মেজ চকী ঘৰ দুৱাৰ খিৰিকী বজাৰ গাঁও চহৰ নদী পাহাৰ গছ ফুল
পাত বৰষুণ ৰ'দ বতাহ মেঘ পুৱা গধূলি ৰাতি দিন মাহ বছৰ ডাঙৰ সৰু ভাল বেয়া নতুন পুৰণি দীঘল শকত পাতল
মিঠা ঠাণ্ডা গৰম পৰিষ্কাৰ গধুৰ পাতল বগা ক'লা ৰঙা হালধীয়া নীলা সেউজীয়া এক দুই তিনি চাৰি পাঁচ
ছয় সাত আঠ ন দহ কওক চাওক শুনক বলক বহক পঢ়ক লিখক খাওক আনক পঠিয়াওক বনাওক বুজক পাৰে হ'ব আছিল আছে
নাই বৰ অলপ নিশ্চয় হয়তো কেতিয়াবা সদায় আজি কাইলৈ সোনকালে লাহে ওপৰত তলত ওচৰত দূৰত প্ৰেম বন্ধু
সময় কাম নাম ভাষা ব্যৱসায় বিশ্বাস ভৱিষ্যৎ পুথি বতৰ জ্ঞান ঘণ্টা মিছা ঠিক ভয় ঢোল চেনি ক্ষমা
উৎসৱ ফোন খবৰ ভুল মুখ ঐক্য""")
WORDS = {"hi": _HI, "bn": _BN, "as": _AS}

TEST_SENTENCES = (
    "My brother Bob probably borrowed both of the purple umbrellas.",
    "Pam bought a bumpy brown pumpkin from Mister Webb.",
    "Five vivid vowels fell off the waving flag.",
    "We will wait while Wanda wipes the wet window.",
    "Mum made marvellous plum jam for everybody in the family.",
    "The bishop stepped back and slammed the cupboard door.",
    "Perhaps Pepe may sample my maple pie before Monday.",
    "Fix the wobbly wheel and we will move the van.",
    "A small boat bobbed up and down beside the empty pier.",
    "Never put pebbles or bamboo in the copper pipe.",
    "Tim and Amy kept the lamp by the open map.",
    "The happy baby grabbed my thumb and babbled.",
    "Who moved the heavy marble bowl from the hall?",
    "Our friends prefer fresh beef with pepper and mint.",
    "Why would a clever fox avoid the river path?",
    "Some people mumble when they feel nervous.",
    "The big ship bumped against the harbour wall.",
    "Buy me a paper bag, a pen, and a map of Bombay.",
    "Maybe the film club will swap the cameras on Wednesday.",
    "Above the valley, a pair of brave pilots waved.",
    "Do not drop the vase; wrap it in a warm blanket first.",
    "Mabel vaguely remembered the name of the village vet.",
    "The problem with the computer is a simple bump in the power.",
    "Jim jumped over the pump and stumbled into a bush.",
    "Every member must put a stamp on the pamphlet.",
    "February was warm, but April may bring more rain.",
    "Please prove that both numbers belong to the same group.",
    "The company's very first office was above a butcher's shop.",
    "Push the blue button and pull the lever upwards.",
    "Welcome back; we have missed you since the summer.",
    "A whimper became a whisper and then a warm hum.",
    "Ripe apples and plums were piled up by the barn.",
    "My boss wants an opinion about the November report.",
    "Bees buzzed between the poppies and the foxgloves.",
    "If the bulb breaks, replace it with a better lamp.",
    "Both bombs were defused without a problem.",
    "Half of them swam, and the others simply waited.",
    "Bring my cup of coffee from the upper shelf.",
    "A pink puppy would be impossible to find.",
    "Why is the moon above the bay so bright and pale?",
    "He wove a fabulous web of simple fables.",
    "The chef whipped the cream and chopped the pepper.",
    "Stop by the shop and pick up some soap and shampoo.",
    "They live above a pub in the middle of Wembley.",
    "My mother hopes to improve her Bengali by May.",
    "The plumber swept up the mud and mopped the room.",
    "Vera's voice was firm, and nobody moved.",
    "A problem shared is often a problem solved.",
    "The map shows a bridge, a farm and a ruined abbey.",
    "Goodbye for now; remember to phone me before five.",
)

_TEST_BY_LANGUAGE = {
    "hi": (
        "नमस्ते, मैं आपसे मिलकर बहुत प्रसन्न हूँ।",
        "बाबा ने पेड़ के नीचे मीठे आम और पपीते बाँटे।",
        "फिर भी विमला ने झटपट ढोल बजाकर सबको चौंका दिया।",
        "ऋषि ने गंगा के तट पर ज्ञान, क्षमा और धैर्य की बात कही।",
        "ख़बर ग़लत थी, इसलिए फ़ौज वापस ज़िले में लौट आई।",
    ),
    "bn": (
        "নমস্কার, আপনার সঙ্গে দেখা হয়ে খুব ভালো লাগল।",
        "বাবা গাছের নিচে মিষ্টি আম আর পেঁপে ভাগ করলেন।",
        "ঐ বৌ ঝটপট ঢোল বাজিয়ে সবাইকে চমকে দিল।",
        "ঋষি গঙ্গার তীরে জ্ঞান, ক্ষমা ও ধৈর্যের কথা বললেন।",
        "আষাঢ় মাসে হঠাৎ ঝড় উঠে ফুলের বাগান নষ্ট হলো।",
    ),
    "as": (
        "নমস্কাৰ, আপোনাক লগ পাই বৰ ভাল লাগিল।",
        "দেউতাই গছৰ তলত মিঠা আম আৰু অমিতা ভগাই দিলে।",
        "ভনীয়ে ঢোল বজাই সকলোকে চমকাই দিলে।",
        "ঋষিয়ে গংগাৰ পাৰত জ্ঞান, ক্ষমা আৰু ধৈৰ্যৰ কথা ক'লে।",
        "ভৱিষ্যতে খবৰ পালে ৰাতিপুৱাই ফোন কৰিম।",
    ),
}


def test_sentences(language: str) -> tuple[str, ...]:
    """Sentences of a language that are never trained on."""
    return TEST_SENTENCES if language == "en" else _TEST_BY_LANGUAGE[language]


def sentence(language: str, random: np.random.Generator) -> str:
    """One sentence to train on."""
    if language != "en":
        words = WORDS[language]
        ends = "।" if language != "en" else "."
        return " ".join(str(random.choice(words)) for _ in range(random.integers(4, 10))) + ends
    lists = {
        "n": _EN_NAMES, "p": _EN_PEOPLE, "t": _EN_THINGS, "v": _EN_VERBS, "a": _EN_ADJECTIVES, "w": _EN_PLACES,
        "h": _EN_TIMES, "c": _EN_NUMBERS,
    }  # fmt: skip
    text = str(random.choice(_EN_PATTERNS))
    for letter, words in lists.items():
        while "{" + letter + "}" in text:
            text = text.replace("{" + letter + "}", str(random.choice(words)), 1)
    return text
