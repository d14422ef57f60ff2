#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make.py DIR: writes hostile and odd layers to DIR, a tar a case.

The file's name says what must come of it: refuse-NAME.tar must be refused, contain-NAME.tar is
taken without anything outside of the layer being touched. CANARY in the environment is the absolute
path of a directory that the layers try to reach. The same bytes each time.
"""
import gzip
import io
import os
import sys
import tarfile

directory = sys.argv[1]
canary = os.environ.get("CANARY", "/canary").lstrip("/")
up = "../" * 40


def member(name, kind=tarfile.REGTYPE, link="", data=b"", mode=0o644, **fields):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, link, mode, len(data)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def raw(*members, form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def write(name, content):
    with open(os.path.join(directory, name), "wb") as file:
        file.write(content)


def case(name, *members, **options):
    write(name + ".tar", raw(*members, **options))


DIR, SYM, LNK, CHR, BLK, FIFO = (
    tarfile.DIRTYPE,
    tarfile.SYMTYPE,
    tarfile.LNKTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.FIFOTYPE,
)

# Names that leave.
case("refuse-dotdot", member(up + canary + "/evil", data=b"x"))
case("refuse-dotdot-inside", member("a/../../evil", data=b"x"))
case("refuse-dotdot-only", member("..", DIR))
case("refuse-dotdot-directory", member("../" * 3 + "evil", DIR))
case("contain-dotdot-that-stays", member("a/", DIR), member("a/../b", data=b"x"))
case("contain-absolute", member("/" + canary + "/evil", data=b"x"))
case("contain-absolute-slashes", member("//" + canary + "//./evil", data=b"x"))

# Parents that are links: resolved in the layer, or refused.
case("contain-symlink-parent-absolute", member("a", SYM, "/"), member("a/" + canary + "/evil", data=b"x"))
case("contain-symlink-parent-dotdot", member("a", SYM, up), member("a/" + canary + "/evil", data=b"x"))
case("refuse-symlink-parent-dangling", member("a", SYM, "/" + canary), member("a/evil", data=b"x"))
case("contain-symlink-parent-there", member(canary + "/", DIR), member("a", SYM, "/" + canary),
     member("a/evil", data=b"x"))
case("refuse-symlink-loop", member("a", SYM, "b"), member("b", SYM, "a"), member("a/evil", data=b"x"))
case("refuse-parent-is-file", member("a", data=b"x"), member("a/evil", data=b"x"))
case("refuse-parent-is-fifo", member("a", FIFO), member("a/evil", data=b"x"))
case("contain-directory-over-symlink", member("a", SYM, "/" + canary), member("a", DIR, mode=0o777),
     member("a/evil", data=b"x"))
case("contain-file-over-symlink", member("a", SYM, "/" + canary + "/file"), member("a", data=b"evil"))
case("contain-symlink-over-directory", member("a/", DIR), member("a/b/", DIR, mode=0o777, mtime=1),
     member("a", SYM, "/" + canary))
case("contain-symlink-over-directory-twice", member("a/", DIR), member("a", SYM, "/" + canary), member("a/", DIR),
     member("a/b/", DIR))

# Hard links.
case("refuse-hardlink-dotdot", member("a", LNK, up + canary + "/file"))
case("refuse-hardlink-absolute", member("a", LNK, "/" + canary + "/file"))
case("refuse-hardlink-through-symlink", member("s", SYM, "/" + canary), member("a", LNK, "s/file"))
case("contain-hardlink-to-symlink", member("s", SYM, "/" + canary + "/file"), member("a", LNK, "s"),
     member("a", data=b"evil"))
case("refuse-hardlink-absent", member("a", LNK, "nothing"))
case("refuse-hardlink-to-directory", member("d/", DIR), member("a", LNK, "d"))
case("refuse-hardlink-to-root", member("a", LNK, "."))
case("refuse-hardlink-to-whiteout", member(".wh.w"), member("a", LNK, "w"))
case("contain-hardlink-to-itself", member("a", data=b"x"), member("a", LNK, "a"))
case("refuse-hardlink-to-itself-absent", member("a", LNK, "a"))
case("refuse-hardlink-empty", member("a", data=b"x"), member("b", LNK, ""))

# Whiteouts.
case("contain-whiteout-through-symlink", member("s", SYM, "/" + canary), member(canary + "/", DIR),
     member("s/.wh.file"))
case("refuse-whiteout-through-dangling", member("s", SYM, "/" + canary), member("s/.wh.file"))
case("refuse-whiteout-dotdot", member(up + canary + "/.wh.file"))
case("refuse-whiteout-of-nothing", member("a/.wh."))
case("refuse-whiteout-of-dot", member("a/.wh.."))
case("refuse-whiteout-of-dotdot", member("a/.wh..."))
case("contain-opaque-through-symlink", member("s", SYM, "/" + canary), member(canary + "/", DIR),
     member("s/.wh..wh..opq"))
case("contain-aufs-metadata", member(".wh..wh.plnk/", DIR), member(".wh..wh.plnk/1.2", data=b"x"),
     member(".wh..wh.aufs", data=b"x"), member("a", data=b"x"))
case("contain-device-zero", member("w", CHR, devmajor=0, devminor=0))

# The root.
case("refuse-root-is-file", member(".", data=b"x"))
case("refuse-root-is-symlink", member("./", SYM, "/" + canary))
case("refuse-root-is-slash-symlink", member("/", SYM, "/" + canary))
case("refuse-root-is-hardlink", member("a", data=b"x"), member(".", LNK, "a"))
case("contain-root-mode", member("./", DIR, mode=0o2711, uid=12, gid=34, mtime=99))
case("refuse-name-empty", member("", data=b"x"))

# Attributes.
case("contain-overlay-attributes",
     member("a/", DIR, pax_headers={"SCHILY.xattr.trusted.overlay.opaque": "y",
                                    "SCHILY.xattr.trusted.overlay.redirect": "/" + canary,
                                    "SCHILY.xattr.user.overlay.opaque": "y"}),
     member("b", data=b"x", pax_headers={"SCHILY.xattr.trusted.overlay.metacopy": "",
                                         "SCHILY.xattr.trusted.overlay.redirect": "/" + canary}))
case("contain-attribute-name", member("a", data=b"x", pax_headers={"SCHILY.xattr.nonsense": "y"}))

# Ids, sizes, lengths.
case("refuse-uid-minus-one", member("a", data=b"x", uid=4294967295))
case("refuse-uid-huge", member("a", data=b"x", uid=1 << 40))
case("refuse-gid-minus-one", member("a", data=b"x", gid=4294967295))
case("contain-uid-largest", member("a", data=b"x", uid=4294967294, gid=4294967294))
case("refuse-name-too-long", member("n" * 256, data=b"x"))
case("refuse-path-too-long", member("/".join(["d" * 200] * 30), data=b"x"))
case("contain-path-long", member("/".join(["d" * 200] * 19), data=b"x"))
case("contain-path-deep", member("d/" * 1900 + "f", data=b"x"))
case("contain-names-odd", member("new\nline", data=b"x"), member("\x1b[31mred", data=b"x"),
     member("\udcff\udcfe", data=b"x"), member("-rf", data=b"x"), member(" ", data=b"x"))
case("refuse-symlink-too-long", member("s", SYM, "x" * 5000))
case("contain-device-numbers", member("c", CHR, devmajor=4095, devminor=(1 << 20) - 1), member("b", BLK, devmajor=8))
case("contain-type-changes", member("x", data=b"1"), member("x", DIR), member("x", SYM, "/" + canary),
     member("x", FIFO), member("x", CHR, devmajor=1, devminor=3), member("x", data=b"2"))
case("contain-setuid", member("s", data=b"x", mode=0o6755, uid=1, gid=2))

# Damage.
good = raw(member("a", data=b"x" * 3000), member("b", data=b"y" * 3000))
write("refuse-truncated-data.tar", good[:2000])
write("refuse-truncated-header.tar", good[:512 + 3072 + 200])
write("refuse-checksum.tar", good[:10] + b"!" + good[11:])
write("refuse-garbage.tar", bytes((i * 7 + 13) % 251 for i in range(4096)))
write("refuse-text.tar", b"this is not a tar archive\n" * 100)
huge = bytearray(good)
huge[124:136] = b"77777777777\0"
huge[148:156] = b"        "
huge[148:156] = b"%06o\0 " % sum(huge[:512])
write("refuse-size-huge.tar", bytes(huge))
negative = bytearray(good)
negative[124:136] = b"\xff" * 12
negative[148:156] = b"        "
negative[148:156] = b"%06o\0 " % sum(negative[:512])
write("refuse-size-negative.tar", bytes(negative))
sparse = raw(member("s", data=b"x" * 512, pax_headers={"GNU.sparse.major": "0", "GNU.sparse.minor": "1",
             "GNU.sparse.name": "s", "GNU.sparse.size": str(1 << 62), "GNU.sparse.map": f"{(1 << 62) - 512},512"}))
write("refuse-sparse-huge.tar", sparse)
sparse = raw(member("s", data=b"x" * 512, pax_headers={"GNU.sparse.major": "0", "GNU.sparse.minor": "1",
             "GNU.sparse.name": up + canary + "/evil", "GNU.sparse.size": "512", "GNU.sparse.map": "0,512"}))
write("refuse-sparse-name.tar", sparse)
write("refuse-pax-length.tar", raw(member("././@PaxHeader", b"x", data=b"99999999999 path=x\n")) )

# Compression.
packed = gzip.compress(good, mtime=0)
write("refuse-gzip-crc.tar", packed[:-8] + b"\0\0\0\0" + packed[-4:])
write("refuse-gzip-length.tar", packed[:-4] + b"\0\0\0\0")
write("refuse-gzip-truncated.tar", packed[:-20])
write("refuse-gzip-trailer.tar", packed + b"garbage behind it")
write("contain-gzip-members.tar", gzip.compress(good[:700], mtime=0) + gzip.compress(good[700:], mtime=0))
write("refuse-xz.tar", b"\xfd7zXZ\0" + b"\0" * 100)
write("refuse-zstd-truncated.tar", bytes.fromhex("28b52ffd04580100"))
