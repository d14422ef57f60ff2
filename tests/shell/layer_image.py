#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""layer_image.py DIR TAR...: an OCI layout of these layers, lowest first, with right digests.

--set PATH=JSON changes a document: index.manifests.0.size=1, manifest.layers.0.mediaType="x",
config.rootfs.diff_ids=[]; a change of the manifest or the config changes what points to it, unless
--keep-digests. --each makes a layout a layer, DIR/NAME of NAME.tar.
"""
import argparse
import gzip
import hashlib
import json
import os
import zlib

arguments = argparse.ArgumentParser()
arguments.add_argument("--set", action="append", default=[])
arguments.add_argument("--keep-digests", action="store_true")
arguments.add_argument("--each", action="store_true")
arguments.add_argument("--name", default="hostile:latest")
arguments.add_argument("directory")
arguments.add_argument("layers", nargs="*")
given = arguments.parse_args()


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def blob(directory, content, media_type, name=None):
    name = name or digest(content)
    with open(os.path.join(directory, "blobs/sha256", name.removeprefix("sha256:")), "wb") as file:
        file.write(content)
    return {"mediaType": media_type, "digest": name, "size": len(content)}


def changed(document, prefix):
    for change in given.set:
        path, value = change.split("=", 1)
        keys = path.split(".")
        if keys[0] != prefix:
            continue
        at = document
        for key in keys[1:-1]:
            at = at[int(key) if isinstance(at, list) else key]
        key = int(keys[-1]) if isinstance(at, list) else keys[-1]
        if value == "":
            del at[key]
        else:
            at[key] = json.loads(value)
    return document


def plain(content):
    if content[:2] == b"\x1f\x8b":
        try:
            return gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            return content
    return content


def described(directory, document, prefix, media_type):
    before = json.dumps(document).encode()
    after = json.dumps(changed(document, prefix)).encode()
    return blob(directory, after, media_type, digest(before) if given.keep_digests else None)


def layout(directory, paths):
    os.makedirs(os.path.join(directory, "blobs/sha256"), exist_ok=True)
    layers, diff_ids = [], []
    for path in paths:
        with open(path, "rb") as file:
            content = file.read()
        layers.append(blob(directory, content, "application/vnd.oci.image.layer.v1.tar"))
        diff_ids.append(digest(plain(content)))
    machine = os.uname().machine
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine),
        "os": "linux",
        "config": {"Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described(directory, config, "config", "application/vnd.oci.image.config.v1+json"),
        "layers": layers,
    }
    entry = described(directory, manifest, "manifest", "application/vnd.oci.image.manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": given.name}
    index = changed({"schemaVersion": 2, "manifests": [entry]}, "index")
    with open(os.path.join(directory, "index.json"), "w", encoding="utf-8") as file:
        json.dump(index, file)
    with open(os.path.join(directory, "oci-layout"), "w", encoding="utf-8") as file:
        file.write('{"imageLayoutVersion":"1.0.0"}')


if given.each:
    for tar in given.layers:
        layout(os.path.join(given.directory, os.path.basename(tar).removesuffix(".tar")), [tar])
else:
    layout(given.directory, given.layers)
