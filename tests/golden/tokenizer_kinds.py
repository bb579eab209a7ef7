"""Tokenizers of each kind, trained here, with the numbers and texts that Python's tokenizers give.

`python tokenizer_kinds.py golden | gzip -9n > tokenizer-kinds.json.gz` writes what the test suite compares.
`python tokenizer_kinds.py many COUNT FOLDER` writes COUNT strings in all; with TOKENIZERS=FOLDER, tests/language/tokens/tokenizer.test.ts
compares them. Characters that came after Unicode 14 are left out, because engines and Python have tables of different versions.
"""

import io
import json
import pathlib
import random
import sys
import unicodedata

import sentencepiece
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
SENTENCES = """The quick brown fox jumps over the lazy dog. It's not what we'd've said, they're 12,345.67 or 1e-5!
def main(argv: list[str]) -> int:\n    return sum(len(each) for each in argv if each != "") # done
Weiß Özlem, daß die Straße naß ist? Ça va, Noël; à bientôt, cœur. ¿Dónde está el niño? ¡Mañana!
Привет, мир! Как дела? Всё хорошо. Γειά σου Κόσμε, ΟΔΥΣΣΕΥΣ. שלום עולם. مرحبا بالعالم.
你好,世界。今天天气很好。こんにちは世界、お元気ですか。안녕하세요 세계. नमस्ते दुनिया, आप कैसे हैं? สวัสดีชาวโลก
function f(x) { return x === null ? [] : x.map((y) => y * 2); } // naïve café \U0001f600 \U0001f468\u200d\U0001f469\u200d\U0001f467
SELECT * FROM users WHERE name LIKE '%o''Brien%' AND id IN (1, 22, 333, 4444);\t<html><body class="a b"></body></html>
Xin chào thế giới, Việt Nam đất nước tôi. İstanbul'da ığdır. Český Ťukajúci. ﬁne ﬂow ½ ² Ⅷ ㎏ ｆｕｌｌ ～ ™""".split("\n")
BOOK = [line for name in ["README.md", "CONTRIBUTING.md"] for line in (HERE.parent.parent / name).read_text("utf8").split("\n")]
CORPUS = SENTENCES * 30 + BOOK

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace("{1,3}", "")
GPT4 = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
GPT4O = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
DEEPSEEK = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|"
    r"\s*[\r\n]+|\s+(?!\S)|\s+"
)
BLOOM = " ?[^(\\s|[.,!?…。，、।۔،])]+"


def special(text, **options):
    return AddedToken(text, special=True, normalized=False, **options)


def byte_level_bpe(size, split=None, specials=("<|endoftext|>",), normalizer=None, prefix=False, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    level = pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=split is None)
    tokenizer.pre_tokenizer = level if split is None else pre_tokenizers.Sequence([*split, level])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=size,
            show_progress=False,
            special_tokens=[special(each) for each in specials],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    return tokenizer


def isolated(source):
    return pre_tokenizers.Split(Regex(source), "isolated")


def template(tokenizer, single, pair, names):
    return processors.TemplateProcessing(
        single=single, pair=pair, special_tokens=[(name, tokenizer.token_to_id(name)) for name in names]
    )


def gpt2(size):
    return byte_level_bpe(size)


def llama3(size):
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    tokenizer = byte_level_bpe(size, [isolated(LLAMA3)], names)
    data = json.loads(tokenizer.to_str())
    data["model"]["ignore_merges"] = True
    tokenizer = Tokenizer.from_str(json.dumps(data))
    begin = template(tokenizer, "<|begin_of_text|> $A", "<|begin_of_text|> $A <|begin_of_text|>:1 $B:1", names[:1])
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), begin])
    return tokenizer


def qwen2(size):
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer = byte_level_bpe(size, [isolated(QWEN2)], names, normalizers.NFC())
    tokenizer.add_tokens([AddedToken("<tool_call>", normalized=False), AddedToken("</tool_call>", normalized=False)])
    return tokenizer


def gpt4(size):
    return byte_level_bpe(size, [isolated(GPT4)])


def gpt4o(size):
    return byte_level_bpe(size, [isolated(GPT4O)])


def deepseek(size):
    split = [isolated(r"\p{N}{1,3}"), isolated("[一-龥぀-ゟ゠-ヿ]+"), isolated(DEEPSEEK)]
    return byte_level_bpe(size, split, ["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"])


def bloom(size):
    return byte_level_bpe(size, [isolated(BLOOM)], normalizer=None)


def roberta(size):
    tokenizer = byte_level_bpe(size, specials=("<s>", "<pad>", "</s>", "<unk>"), prefix=True)
    tokenizer.add_special_tokens([special("<mask>", lstrip=True)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return tokenizer


def clip(size):
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token="<|endoftext|>"))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    pattern = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(), decoders.BPEDecoder(suffix="</w>")])
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        show_progress=False,
        end_of_word_suffix="</w>",
        special_tokens=[special("<|startoftext|>"), special("<|endoftext|>")],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("<|endoftext|>", 1), ("<|startoftext|>", 0))
    return tokenizer


def spaced_bpe(size, specials):
    """Byte-pair encoding as SentencePiece trains it: ▁ for spaces, and tokens of bytes for unknown characters."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    byte_names = [f"<0x{byte:02X}>" for byte in range(256)]
    trained.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(vocab_size=size, show_progress=False, special_tokens=[*specials, *byte_names], limit_alphabet=150),
    )
    model = json.loads(trained.to_str())["model"]
    merges = [tuple(each) for each in model["merges"]]
    return Tokenizer(
        models.BPE(vocab=model["vocab"], merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )


def llama2(size):
    tokenizer = spaced_bpe(size, ["<unk>", "<s>", "</s>"])
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens([special("<unk>"), special("<s>"), special("</s>")])
    tokenizer.post_processor = template(tokenizer, "<s> $A", "<s> $A <s>:1 $B:1", ["<s>"])
    return tokenizer


def gemma(size):
    tokenizer = spaced_bpe(size, ["<pad>", "<eos>", "<bos>", "<unk>"])
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([special(each) for each in ["<pad>", "<eos>", "<bos>", "<unk>"]])
    tokenizer.add_tokens([AddedToken("\n\n", normalized=False), AddedToken("▁▁", normalized=False), "<start_of_turn>"])
    tokenizer.post_processor = template(tokenizer, "<bos> $A", "<bos> $A <bos>:1 $B:1", ["<bos>"])
    return tokenizer


def charsmap(rules=None):
    """The map of characters of SentencePiece: that of nmt_nfkc, or one of `rules`."""
    model = io.BytesIO()
    options = {"normalization_rule_name": "nmt_nfkc"}
    if rules is not None:
        path = pathlib.Path("/tmp/rules.tsv")
        path.write_text(rules)
        options = {"normalization_rule_tsv": str(path)}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=model, vocab_size=400, minloglevel=2, **options
    )
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


# e with acute accent, fi, fullwidth A, a tabulator, and a removed soft hyphen.
RULES = "65 301\tE9\nFB01\t66 69\nFF21\t41\n9\t20\nAD\t\n1F600\t3A 29\n"


def unigram(size, normalizer, pre_tokenizer, specials, **trainer):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(
        CORPUS,
        trainers.UnigramTrainer(
            vocab_size=size, show_progress=False, special_tokens=[special(each) for each in specials], unk_token="<unk>", **trainer
        ),
    )
    return tokenizer


def t5(size, rules=None):
    tokenizer = unigram(
        size,
        normalizers.Precompiled(charsmap(rules)),
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]),
        ["<pad>", "</s>", "<unk>"],
    )
    tokenizer.post_processor = template(tokenizer, "$A </s>", "$A </s> $B </s>", ["</s>"])
    return tokenizer


def xlmr(size, rules=None):
    tokenizer = unigram(
        size,
        normalizers.Sequence([normalizers.Precompiled(charsmap(rules)), normalizers.Replace(Regex(" {2,}"), " ")]),
        pre_tokenizers.Metaspace(),
        ["<s>", "<pad>", "</s>", "<unk>"],
    )
    tokenizer.add_special_tokens([special("<mask>", lstrip=True)])
    tokenizer.post_processor = template(
        tokenizer, "<s> $A </s>", "<s> $A </s> </s> $B </s>", ["<s>", "</s>"]
    )
    return tokenizer


def albert(size):
    tokenizer = unigram(
        size,
        normalizers.Sequence(
            [
                normalizers.Replace("``", '"'),
                normalizers.Replace("''", '"'),
                normalizers.NFKD(),
                normalizers.StripAccents(),
                normalizers.Lowercase(),
                normalizers.Nmt(),
                normalizers.Strip(),
            ]
        ),
        pre_tokenizers.Metaspace(prepend_scheme="first"),
        ["<pad>", "<unk>", "[CLS]", "[SEP]"],
    )
    tokenizer.add_special_tokens([special("[MASK]", lstrip=True, rstrip=True)])
    tokenizer.post_processor = template(
        tokenizer, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", ["[CLS]", "[SEP]"]
    )
    return tokenizer


def bert(size, lowercase=True):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(
        CORPUS,
        trainers.WordPieceTrainer(vocab_size=size, show_progress=False, special_tokens=[special(each) for each in names]),
    )
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = template(
        tokenizer, "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", ["[CLS]", "[SEP]"]
    )
    if lowercase:
        tokenizer.enable_truncation(24)
        tokenizer.enable_padding(length=24, pad_token="[PAD]")
    return tokenizer


def bert_cased(size):
    return bert(size, False)


def words(size):
    """A table of words, with all kinds of added tokens."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase(), normalizers.Strip(right=False)])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Whitespace(),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Punctuation("merged_with_previous"),
            pre_tokenizers.CharDelimiterSplit("x"),
        ]
    )
    tokenizer.train_from_iterator(CORPUS, trainers.WordLevelTrainer(vocab_size=size, show_progress=False, special_tokens=["<unk>"]))
    tokenizer.add_tokens(
        [
            AddedToken("Hello", normalized=True),
            AddedToken("Wor", single_word=True, normalized=True),
            AddedToken("World", normalized=False, single_word=True),
            AddedToken("<a>", lstrip=True, normalized=False),
            AddedToken("<b>", rstrip=True, normalized=True),
            AddedToken("<ab>", rstrip=True, lstrip=True, normalized=False),
        ]
    )
    tokenizer.add_special_tokens([AddedToken("<C>", special=True, normalized=True)])
    return tokenizer


def split_words(size):
    """Other behaviors of splits, and other decoders."""
    tokenizer = Tokenizer(models.BPE(continuing_subword_prefix="##", unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d+"), "contiguous"),
            pre_tokenizers.Split("e", "merged_with_next"),
            pre_tokenizers.Split(Regex(r"[a-f]"), "contiguous", invert=True),
            pre_tokenizers.Digits(),
            pre_tokenizers.Punctuation("contiguous"),
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.FixedLength(length=7),
        ]
    )
    tokenizer.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=size, show_progress=False, continuing_subword_prefix="##", limit_alphabet=100, special_tokens=["<unk>"]
        ),
    )
    tokenizer.decoder = decoders.Sequence([decoders.CTC(pad_token="<unk>", word_delimiter_token="o"), decoders.Strip("e", 1, 0)])
    return tokenizer


KINDS = [
    gpt2, llama3, qwen2, gpt4, gpt4o, deepseek, bloom, roberta, clip,
    llama2, gemma, t5, xlmr, albert, bert, bert_cased, words, split_words,
]  # fmt: skip

EMOJI = ["\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\u2764\ufe0f", "\U0001f1e9\U0001f1ea", "\U0001f44d\U0001f3fd"]
SPACES = [" ", " ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u2028", "\u0085", "\ufeff", "   ", " \n ", "\u200b", "\x1c", "\x0b"]
APOSTROPHES = ["'s", "'S", "'t", "'re", "'VE", "'ll", "'\u017f", "'m", "n't", " ' ", " do not", "''", "``"]
SPECIAL_TEXTS = [
    "<|endoftext|>", "<|begin_of_text|>", "<|eot_id|>", "<|im_start|>", "<tool_call>", "<s>", "</s>", "<unk>", "<mask>", " <mask> ",
    "[CLS]", "[MASK]", " [MASK]\t", "[UNK]", "<pad>", "<0x41>", "<0xE4>", "▁", "▁▁", "\n\n", "Hello", "Wor", "World", " <a> ", " <b> ",
    " <ab> ", "<start_of_turn>", "##ing", "</w>", "<｜begin▁of▁sentence｜>", "<|endoftext", "helloworld", "<C>", "<c>", "hello wor",
]  # fmt: skip


def assigned(code):
    """A character that all versions of Unicode since 14 have, or a place of a plane that is empty."""
    return not 0xD800 <= code < 0xE000 and (unicodedata.category(chr(code)) != "Cn" or 0x40000 <= code < 0xE0000)


ALL = [code for code in range(0x110000) if assigned(code) and (code < 0x30000 or code % 64 == 0)]
LOW = [code for code in ALL if code < 0x3000]


def piece(rng):
    kind = rng.randrange(16)
    if kind < 4:
        return rng.choice(WORDS)
    if kind == 4:
        return chr(rng.choice(ALL))
    if kind == 5:
        return "".join(chr(rng.choice(LOW)) for _ in range(rng.randrange(1, 6)))
    if kind == 6:
        return unicodedata.normalize(rng.choice(["NFC", "NFD", "NFKD"]), rng.choice(WORDS) + chr(rng.choice(LOW)))
    if kind == 7:
        return rng.choice(EMOJI)
    if kind == 8:
        return rng.choice(SPACES) * rng.choice([1, 1, 1, 2, 7])
    if kind == 9:
        return rng.choice(APOSTROPHES)
    if kind == 10:
        return rng.choice(SPECIAL_TEXTS)
    if kind == 11:
        return str(rng.randrange(10 ** rng.randrange(1, 12)))
    if kind == 12:
        return rng.choice("abcdefghijklmnopqrstuvwxyz'.,!?;:()[]{}<>/\\|\"-_=+*&^%$#@~`")* rng.choice([1, 1, 2, 9])
    if kind == 13:
        return rng.choice(SENTENCES)[rng.randrange(20) : rng.randrange(20, 60)]
    if kind == 14:
        return rng.choice(WORDS).upper()
    return rng.choice(BOOK)[:40]


WORDS = sorted({word for line in SENTENCES + BOOK for word in line.split()})


def string(rng):
    draw = rng.random()
    if draw < 0.0005:
        return "".join(rng.choice(WORDS) for _ in range(2000))[:10_000]
    if draw < 0.001:
        return rng.choice(["a", "ab", " ", "é", "你", "\U0001f600", "\n", "'", "e"]) * rng.randrange(100, 10_000)
    joint = rng.choice(["", " ", " ", ""])
    return joint.join(piece(rng) for _ in range(rng.randrange(1, 9)))


def row(tokenizer, rng, text):
    """A text with its numbers, and numbers with their texts."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    ids = tokenizer.encode(text).ids
    bare = tokenizer.encode(text, add_special_tokens=False).ids
    size = tokenizer.get_vocab_size()
    others = [rng.randrange(size) for _ in range(rng.randrange(12))]
    decoded = [tokenizer.decode(each, skip_special_tokens=skip) for each in (ids, others) for skip in (True, False)]
    return [text, ids, bare, others, decoded]


def pairs(tokenizer, rng, count):
    """Batches of pairs of texts with truncation and padding."""
    rows = []
    for _ in range(count):
        texts = [(string(rng)[:60], string(rng)[:60]) for _ in range(3)]
        length = rng.randrange(8, 40)
        tokenizer.enable_truncation(length)
        tokenizer.enable_padding(pad_id=0)
        batch = tokenizer.encode_batch(texts)
        rows.append([texts, length, [each.ids for each in batch], [each.attention_mask for each in batch], [each.type_ids for each in batch]])
    return rows


def trained():
    """The merges of byte-level tokenizers, trained on a book."""
    book = (HERE.parent.parent / "examples/data/moby-dick.txt").read_text("utf8")
    results = []
    for size, least, specials, texts in [(1500, 2, ["<|endoftext|>"], [book]), (900, 40, ["<a>", "<b>"], book.split("\n"))]:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            min_frequency=least,
            show_progress=False,
            special_tokens=specials,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )
        tokenizer.train_from_iterator(texts, trainer)
        merges = [" ".join(each) for each in json.loads(tokenizer.to_str())["model"]["merges"]]
        lines = [{"text": line, "ids": tokenizer.encode(line).ids} for line in SENTENCES]
        results.append({"size": size, "least": least, "specials": specials, "lines": len(texts) > 1, "merges": merges, "rows": lines})
    return results


def golden():
    kinds = {}
    for make in KINDS:
        rng = random.Random(make.__name__)
        rules = {"rules": RULES} if make in (t5, xlmr) else {}
        tokenizer = make(700 if make not in (t5, xlmr, albert) else 500, **rules)
        files = json.loads(tokenizer.to_str())
        texts = SENTENCES[:4] + [string(rng)[:80] for _ in range(24)]
        kinds[make.__name__] = {
            "tokenizer": files,
            "rows": [row(tokenizer, rng, text) for text in texts],
            "pairs": pairs(tokenizer, rng, 2),
        }
    json.dump({"tokenizers": tokenizers.__version__, "trained": trained(), "kinds": kinds}, sys.stdout, ensure_ascii=False, separators=(",", ":"))
    print()


def many(count, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for make in KINDS:
        rng = random.Random(make.__name__ + "many")
        tokenizer = make(4000 if make not in (t5, xlmr, albert) else 1200)
        (folder / f"{make.__name__}.tokenizer.json").write_text(tokenizer.to_str())
        with (folder / f"{make.__name__}.rows.jsonl").open("w") as file:
            for _ in range(count // len(KINDS) + 1):
                file.write(json.dumps(row(tokenizer, rng, string(rng)), separators=(",", ":")) + "\n")
        (folder / f"{make.__name__}.pairs.json").write_text(json.dumps(pairs(tokenizer, rng, 2000)))
        print(make.__name__, tokenizer.get_vocab_size(), flush=True)


if sys.argv[1] == "golden":
    golden()
else:
    many(int(sys.argv[2]), sys.argv[3])
