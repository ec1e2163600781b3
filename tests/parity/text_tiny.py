#!/usr/bin/env python3
"""Make the tiny random sentence encoders of tests/test_sentence.c, and record what sentence-transformers makes of texts.

python3 with torch, transformers, sentence-transformers and safetensors from PyPI:  text_tiny.py [FOLDER]
Writes FOLDER/text_bert/, text_mpnet/ (as Hugging Face folders) and text_bert.json, text_mpnet.json (texts, token ids,
vectors). The BERT is F32 with the prefix "bert.", in the files that sentence-transformers 2 wrote; the MPNet is F16
without prefix, in those of version 6, which has its vocabulary in tokenizer.json alone. The weights are random.
"""
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
import transformers
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer, __version__ as st_version
from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel, MPNetTokenizer

WORDS = "the of and cryo em structure human complex bound kinase ribosome protein channel membrane atp beta alpha".split()
PIECES = "##s ##ing ##some ##ase ##ated ##2 ##3 ##n ##e ##r ##o ##a ##t ##ok ##x ##ο ##σ ##δ".split()
SIGNS = list("abcdefghinorstuvxyz0123456789-,.()'/[]<>αβγδοσ′″東京構造κ²½")

TEXTS = [
    "", "   ", "Cryo-EM structure of the human ribosome", "kinases, binding (ATP) and [the] complex",
    "β-galactosidase / α-helix 3′-UTR", "ΟΔΟΣ οδος", "naïve Ångström éàü e\u0301", "東京の構造 protein", "tab\tnew\u00a0space\u3000wide",
    "zero\u200bwidth\u00adsoft \ufffd", "unknownword qqq", "x" * 100, "x" * 101, "x" * 90 + "s y", "[MASK] [SEP] [unk] <mask> </s> the", "H₂O² ½",
    "<pad> the <pad> channel", "the of and " * 12, "membrane protein channel complex bound " * 40, "İ ı ß ẞ 𝔘 😀", "!!!???...---'''",
    "a b c d e f g h i", "\u0391\u0301\u03b1\u0344", "1.5 Å", "the", "atp2 atp3 atpx",
]


def spread(model, seed):
    """Weights for which tokens, positions and heads all matter."""
    g = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        scale = 0.8 if "embeddings" in name or "relative" in name else 0.35
        p.data = torch.randn(p.shape, generator=g) * scale
        if name.endswith("LayerNorm.weight"):
            p.data = 1 + p.data
        p.data = p.data.half().float()


def write(path, obj):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="\n") as f:
        json.dump(obj, f, indent=1, ensure_ascii=False)
        f.write("\n")


def modules(folder, names):
    paths = ["", "1_Pooling", "2_Normalize"]
    write(folder + "/modules.json", [dict(idx=i, name=str(i), path=paths[i], type=n) for i, n in enumerate(names)])


def bert(folder):
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS + PIECES + SIGNS
    c = BertConfig(vocab_size=len(vocab), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
                   max_position_embeddings=40)
    m = BertModel(c, add_pooling_layer=False)
    spread(m, 1)
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/vocab.txt", "w", encoding="utf-8", newline="\n") as f:
        f.write("".join(v + "\n" for v in vocab))
    keep = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings",
            "vocab_size", "type_vocab_size", "layer_norm_eps", "hidden_act", "model_type", "pad_token_id")
    write(folder + "/config.json", {"architectures": ["BertModel"], **{k: getattr(c, k) for k in keep}})
    write(folder + "/tokenizer_config.json", dict(tokenizer_class="BertTokenizer", do_lower_case=True, strip_accents=None,
                                                  model_max_length=512))
    write(folder + "/sentence_bert_config.json", dict(max_seq_length=32, do_lower_case=False))
    write(folder + "/1_Pooling/config.json", dict(word_embedding_dimension=16, pooling_mode_cls_token=False,
          pooling_mode_mean_tokens=True, pooling_mode_max_tokens=False, pooling_mode_mean_sqrt_len_tokens=False))
    modules(folder, ["sentence_transformers.models." + n for n in ("Transformer", "Pooling", "Normalize")])
    save_file({"bert." + k: v.contiguous() for k, v in m.state_dict().items()}, folder + "/model.safetensors", {"format": "pt"})


def mpnet(folder):
    vocab = ["<s>", "<pad>", "</s>", "[UNK]"] + WORDS + PIECES + SIGNS + ["<mask>"]
    c = MPNetConfig(vocab_size=len(vocab), hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24,
                    max_position_embeddings=170, layer_norm_eps=1e-5)
    m = MPNetModel(c, add_pooling_layer=False)
    spread(m, 2)
    os.makedirs(folder, exist_ok=True)
    MPNetTokenizer(vocab={v: i for i, v in enumerate(vocab)}, model_max_length=160).save_pretrained(folder)
    c.save_pretrained(folder)
    write(folder + "/sentence_bert_config.json", dict(transformer_task="feature-extraction", module_output_name="token_embeddings",
          modality_config=dict(text=dict(method="forward", method_output_name="last_hidden_state"))))
    write(folder + "/1_Pooling/config.json", dict(embedding_dimension=16, pooling_mode="mean", include_prompt=True))
    write(folder + "/2_Normalize/config.json", dict(module_input_name="sentence_embedding", module_output_name="sentence_embedding"))
    modules(folder, ["sentence_transformers.base.modules.transformer.Transformer",
                     "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
                     "sentence_transformers.base.modules.normalize.Normalize"])
    save_file({k: v.half().contiguous() for k, v in m.state_dict().items() if "position_ids" not in k},
              folder + "/model.safetensors", {"format": "pt"})


def record(folder, out):
    s = SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": torch.float32})
    rows = []
    for t in TEXTS:
        ids = s.tokenize([t])["input_ids"][0].tolist()
        rows.append(dict(text=t, ids=ids, vector=[float("%.7g" % v) for v in s.encode(t)]))
    with open(out, "w", encoding="utf-8", newline="\n") as f:
        f.write('{"made_with": "sentence-transformers %s, transformers %s, torch %s",\n "texts": [\n' % (st_version, transformers.__version__, torch.__version__))
        f.write(",\n".join(json.dumps(r, ensure_ascii=False) for r in rows))
        f.write("\n]}\n")


def main():
    at = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for name, make in (("text_bert", bert), ("text_mpnet", mpnet)):
        make(os.path.join(at, name))
        record(os.path.join(at, name), os.path.join(at, name + ".json"))


if __name__ == "__main__":
    main()
