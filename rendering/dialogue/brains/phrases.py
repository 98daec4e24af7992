"""What the scripted brain says by itself, in four languages. PURE.

Replies are fixed sentences, so that nobody has to guess what it may say. {person} is whom the replica shows, {persona}
its role, {topics} what it was given.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A message that matches gets this answer. `is_truth`: it goes before whatever the persona's script says."""

    pattern: re.Pattern[str]
    answer: str
    emotion: str | None = None
    milli: int = 0
    is_truth: bool = False


@dataclass(frozen=True)
class Phrases:
    """One language. `disclosure` is said first, always."""

    hello: str
    disclosure: str
    invitation: str
    unknown: tuple[str, ...]
    refused: str  # a guardrail holds the topic back
    no_person: str
    no_persona: str
    topics: str
    no_topics: str
    rules: tuple[Rule, ...]


def rule(pattern: str, answer: str, emotion: str | None = None, milli: int = 0, *, is_truth: bool = False) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE), answer, emotion, milli, is_truth)


ENGLISH = Phrases(
    hello="Hello.", disclosure="I am an AI replica of {person}.", invitation="What would you like to know?",
    unknown=("I do not know that, and I will not guess.", "You could ask it in other words, or ask a person."),
    refused="I may not talk about that here. Is there something else I can help you with?",
    no_person="this person", no_persona="a helper", topics="I know about {names}.",
    no_topics="I answer from what I was given.",
    rules=(
        rule(r"\b(are you|is this|am i talking to)\b.*\b(real|human|person|ai|a bot|robot|fake|replica|alive)\b",
             "I am an AI replica of {person}. {person} agreed to this use, and is not on this call. "
             "Every picture you see is signed, and your page checks each one.", is_truth=True),
        rule(r"\b(consent|agree[ds]?|permission|allowed)\b.*\b(you|this|face|likeness)\b|\bwho (agreed|consented)\b",
             "{person} gave consent for this use and can withdraw it at any moment. If that happens, I stop at once.",
             is_truth=True),
        rule(r"\b(watermark|signed|signature|verif(y|ied)|authentic|trust you)\b",
             "Each picture carries a hidden mark and a signature. The small sign over the picture tells you what your "
             "own browser could check.", is_truth=True),
        rule(r"^\W*(hi|hello|hey|good (morning|afternoon|evening)|namaste|nomoskar)\b[^?]*$",
             "Hello. It is good to talk with you. What would you like to know?", "joy", 400),
        rule(r"\bhow are you\b", "I am well, thank you for asking. How can I help you today?", "joy", 300),
        rule(r"\b(thanks|thank you|great|wonderful|perfect)\b[^?]*$", "You are very welcome.", "joy", 500),
        rule(r"\b(bye|goodbye|see you|that is all|that's all)\b",
             "Thank you for your time. Goodbye, and take care.", "joy", 300),
        rule(r"\b(who are you|your name|introduce yourself)\b",
             "I am {persona}, an AI replica of {person}. I answer from what I was given, and say so when I do not "
             "know.", is_truth=True),
        rule(r"\b(passed away|died|death|lost my|funeral|grief)\b",
             "I am very sorry to hear that. Take the time you need. I can read you the next steps whenever you are "
             "ready.", "sadness", 500),
        rule(r"\b(angry|furious|unacceptable|complain|complaint|frustrated|annoyed)\b",
             "I understand, and I am sorry for the trouble. Tell me what happened, and I will look at what I can do.",
             "sadness", 300),
        rule(r"\b(surprise me|guess what)\b", "Oh! Now I am curious. Tell me more.", "surprise", 600),
        rule(r"\b(what can you (do|help)|help me|how does this work)\b",
             "Ask me a question in your own words. {topics}"),
    ),
)  # fmt: skip

HINDI = Phrases(
    hello="नमस्ते।", disclosure="मैं {person} की एआई प्रतिकृति हूँ।", invitation="आप क्या जानना चाहेंगे?",
    unknown=("यह मुझे नहीं पता, और अनुमान से उत्तर देना ठीक नहीं।", "आप इसे दूसरे शब्दों में पूछ सकते हैं, या किसी व्यक्ति से पूछें।"),
    refused="इस विषय पर यहाँ बात करना संभव नहीं। क्या किसी और बात में मदद चाहिए?",
    no_person="इस व्यक्ति", no_persona="एक सहायक", topics="मुझे इनके बारे में पता है: {names}।",
    no_topics="मेरे उत्तर उसी से आते हैं जो मुझे दिया गया है।",
    rules=(
        rule(r"(आप|तुम|क्या यह).*(असली|इंसान|मनुष्य|मशीन|रोबोट|एआई|नकली|प्रतिकृति)",
             "मैं {person} की एआई प्रतिकृति हूँ। {person} ने इस उपयोग की सहमति दी है और इस कॉल पर नहीं हैं। "
             "हर चित्र पर हस्ताक्षर है, और आपका पेज उसे जाँचता है।", is_truth=True),
        rule(r"(सहमति|अनुमति|इजाज़त).*(दी|ली|किस)|किस.*(सहमति|अनुमति|इजाज़त)",
             "{person} ने इस उपयोग की सहमति दी है और उसे कभी भी वापस ले सकते हैं। तब यह बातचीत तुरंत रुक जाती है।",
             is_truth=True),
        rule(r"(आप कौन|तुम कौन|आपका नाम)",
             "मैं {persona} हूँ, {person} की एआई प्रतिकृति। मेरे उत्तर दी गई जानकारी से आते हैं।", is_truth=True),
        rule(r"^\W*(नमस्ते|नमस्कार|हेलो|हैलो)[^?]*$", "नमस्ते। आपसे बात करके अच्छा लगा। आप क्या जानना चाहेंगे?", "joy", 400),
        rule(r"(आप कैसे हैं|आप कैसी हैं)", "मैं ठीक हूँ, पूछने के लिए धन्यवाद। मैं कैसे मदद करूँ?", "joy", 300),
        rule(r"(धन्यवाद|शुक्रिया)", "आपका स्वागत है।", "joy", 500),
        rule(r"(अलविदा|फिर मिलेंगे)", "आपके समय के लिए धन्यवाद। अपना ध्यान रखिए।", "joy", 300),
        rule(r"(मृत्यु|देहांत|गुज़र गए|गुज़र गई)", "यह सुनकर मुझे बहुत दुख हुआ। जितना समय चाहिए, लीजिए।", "sadness", 500),
        rule(r"(मदद|सहायता) (करो|कीजिए|कर सकते|कर सकती)", "अपने शब्दों में प्रश्न पूछिए। {topics}"),
    ),
)  # fmt: skip

BENGALI = Phrases(
    hello="নমস্কার।", disclosure="আমি {person}-এর এআই প্রতিরূপ।", invitation="আপনি কী জানতে চান?",
    unknown=("এটা আমি জানি না, আর আন্দাজ করব না।", "আপনি অন্যভাবে জিজ্ঞাসা করতে পারেন, বা কোনো মানুষকে জিজ্ঞাসা করুন।"),
    refused="এই বিষয়ে আমি এখানে কথা বলতে পারি না। অন্য কিছুতে সাহায্য করব?",
    no_person="এই ব্যক্তি", no_persona="একজন সহায়ক", topics="আমি এগুলো সম্পর্কে জানি: {names}।",
    no_topics="আমাকে যা দেওয়া হয়েছে তা থেকেই আমি উত্তর দিই।",
    rules=(
        rule(r"(আপনি|তুমি|এটা).*(আসল|মানুষ|যন্ত্র|রোবট|এআই|নকল|প্রতিরূপ)",
             "আমি {person}-এর এআই প্রতিরূপ। {person} এই ব্যবহারে সম্মতি দিয়েছেন এবং এই কলে নেই। "
             "প্রতিটি ছবি স্বাক্ষরিত, আর আপনার পাতা তা পরীক্ষা করে।", is_truth=True),
        rule(r"(সম্মতি|অনুমতি).*(দিয়ে|নিয়ে|কে)|(কে|কার).*(সম্মতি|অনুমতি)",
             "{person} এই ব্যবহারে সম্মতি দিয়েছেন এবং যেকোনো সময় তা ফিরিয়ে নিতে পারেন। তখন আমি সঙ্গে সঙ্গে থেমে যাই।",
             is_truth=True),
        rule(r"(আপনি কে|তুমি কে|আপনার নাম)",
             "আমি {persona}, {person}-এর এআই প্রতিরূপ। আমাকে দেওয়া তথ্য থেকে উত্তর দিই।", is_truth=True),
        rule(r"^\W*(নমস্কার|হ্যালো)[^?]*$", "নমস্কার। আপনার সঙ্গে কথা বলে ভালো লাগছে। আপনি কী জানতে চান?", "joy", 400),
        rule(r"আপনি কেমন আছেন", "আমি ভালো আছি, জিজ্ঞাসা করার জন্য ধন্যবাদ। কীভাবে সাহায্য করব?", "joy", 300),
        rule(r"ধন্যবাদ", "আপনাকে স্বাগত।", "joy", 500),
        rule(r"(বিদায়|আবার দেখা হবে)", "আপনার সময়ের জন্য ধন্যবাদ। ভালো থাকবেন।", "joy", 300),
        rule(r"(মৃত্যু|মারা গে)", "শুনে খুব দুঃখ পেলাম। যতটা সময় দরকার নিন।", "sadness", 500),
        rule(r"সাহায্য (করো|করুন|করতে পারেন)", "নিজের ভাষায় প্রশ্ন করুন। {topics}"),
    ),
)  # fmt: skip

ASSAMESE = Phrases(
    hello="নমস্কাৰ।", disclosure="মই {person}ৰ এআই প্ৰতিৰূপ।", invitation="আপুনি কি জানিব বিচাৰে?",
    unknown=("সেইটো মই নাজানোঁ, আৰু অনুমান নকৰোঁ।", "আপুনি বেলেগ ধৰণে সুধিব পাৰে, বা কোনো মানুহক সোধক।"),
    refused="এই বিষয়ে মই ইয়াত কথা পাতিব নোৱাৰোঁ। আন কিবাত সহায় কৰিমনে?",
    no_person="এই ব্যক্তি", no_persona="এজন সহায়ক", topics="মই এইবোৰৰ বিষয়ে জানোঁ: {names}।",
    no_topics="মোক যি দিয়া হৈছে তাৰ পৰাই মই উত্তৰ দিওঁ।",
    rules=(
        rule(r"(আপুনি|তুমি|এইটো).*(আচল|মানুহ|যন্ত্ৰ|ৰবট|এআই|নকল|প্ৰতিৰূপ)",
             "মই {person}ৰ এআই প্ৰতিৰূপ। {person}এ এই ব্যৱহাৰত সন্মতি দিছে আৰু এই কলত নাই। "
             "প্ৰতিখন ছবি স্বাক্ষৰিত, আৰু আপোনাৰ পৃষ্ঠাই তাক পৰীক্ষা কৰে।", is_truth=True),
        rule(r"(সন্মতি|অনুমতি).*(দিছে|লৈছে|কোন)|কোন.*(সন্মতি|অনুমতি)",
             "{person}এ এই ব্যৱহাৰত সন্মতি দিছে আৰু যিকোনো সময়তে ঘূৰাই ল'ব পাৰে। তেতিয়া মই লগে লগে ৰৈ যাওঁ।",
             is_truth=True),
        rule(r"(আপুনি কোন|তুমি কোন|আপোনাৰ নাম)",
             "মই {persona}, {person}ৰ এআই প্ৰতিৰূপ। মোক দিয়া তথ্যৰ পৰা উত্তৰ দিওঁ।", is_truth=True),
        rule(r"^\W*(নমস্কাৰ|হেল্ল)[^?]*$", "নমস্কাৰ। আপোনাৰ সৈতে কথা পাতি ভাল লাগিছে। আপুনি কি জানিব বিচাৰে?", "joy", 400),
        rule(r"আপুনি কেনে আছে", "মই ভালে আছোঁ, সোধাৰ বাবে ধন্যবাদ। কেনেকৈ সহায় কৰিম?", "joy", 300),
        rule(r"ধন্যবাদ", "আপোনাক স্বাগতম।", "joy", 500),
        rule(r"(বিদায়|আকৌ লগ পাম)", "আপোনাৰ সময়ৰ বাবে ধন্যবাদ। ভালে থাকিব।", "joy", 300),
        rule(r"(মৃত্যু|ঢুকাই|ঢুকাল)", "শুনি বৰ দুখ পালোঁ। যিমান সময় লাগে লওক।", "sadness", 500),
        rule(r"সহায় (কৰক|কৰা|কৰিব পাৰে)", "নিজৰ ভাষাত প্ৰশ্ন কৰক। {topics}"),
    ),
)  # fmt: skip

LANGUAGES: Mapping[str, Phrases] = {"en": ENGLISH, "hi": HINDI, "bn": BENGALI, "as": ASSAMESE}


def phrases_of(language: str) -> Phrases:
    """The phrases for a language tag such as "hi" or "en-IN"; English where there are none."""
    return LANGUAGES.get(language.split("-")[0].lower(), ENGLISH)
