"""256 plain English nouns: eight bits a word, easy to say, hard to mistake for one another."""

WORDS: tuple[str, ...] = tuple(
    """
    acorn amber anchor apple apron arrow autumn badge bakery balcony bamboo banana barley barrel basket beacon
    beetle bell berry bicycle birch biscuit blanket blossom boat bottle boulder bracket branch bread brick bridge
    broom bucket button cabin cactus camel camera candle canoe canvas carpet carrot castle cedar cello chalk
    cherry chimney cinnamon circus clay clover cobbler coconut comet compass copper coral cotton cradle crayon cricket
    crystal curtain cushion daisy desert diamond dolphin donkey dragon drum eagle eleven ember engine envelope falcon
    feather fiddle finger flannel flute forest fossil fountain four fox galaxy garden garlic gazelle ginger giraffe
    glacier globe goose granite grape guitar hammer harbour harvest hazel hedge helmet heron honey horizon hotel
    island ivory jacket jasmine jigsaw juniper kettle keyboard kitchen kite ladder lagoon lantern lavender lemon lentil
    library lilac lion lobster locket lotus magnet mango maple marble market meadow melon mirror monsoon moon
    morning mosaic mountain mushroom napkin needle nest nettle nine nutmeg oak oatmeal ocean octopus olive onion
    orchard orchid organ otter oyster paddle palace panther paper parcel parrot pasture pebble pelican pencil pepper
    piano picnic pigeon pillow pilot pine planet plaster plum pocket pond poppy potato prairie puddle pumpkin
    puppet quarry quilt rabbit radish rainbow raisin raven ribbon river rocket saddle saffron sailor salmon sandal
    satin seven shadow shelter silver sister six sparrow spider spinach spoon spruce squirrel stable station stone
    sugar summer sunset swallow tailor temple thistle thunder tiger timber tomato tractor trumpet tulip tunnel turtle
    twelve umbrella valley velvet village violet violin walnut water whistle willow window winter wizard yellow zebra
    """.split()  # noqa: SIM905  a list of 256 quoted words is harder to read and to check
)


def words_from_hash(digest_hex: str, count: int = 4) -> tuple[str, ...]:
    """The first `count` bytes of a hash as words, for two people to read aloud to each other.

    Four words are 32 bits: enough to notice a different statement, not a substitute for the signature.
    """
    return tuple(WORDS[byte] for byte in bytes.fromhex(digest_hex)[:count])
