#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""seccomp_agent.py SOCKET FILE answer|die|deaf: a supervisor for containers' system calls.

What it is told of each process goes to FILE, a line each, and the number of each call that it is
asked for to FILE.calls. "answer": mkdir fails with EXDEV, other calls go on. "die": it ends once it
has the descriptor. "deaf": it listens, and never accepts."""
import array
import errno
import fcntl
import os
import socket
import struct
import sys
import threading

RECEIVE, SEND = 0xC0502100, 0xC0182101  # linux/seccomp.h, SECCOMP_IOCTL_NOTIF_*
CONTINUE = 1
MKDIR = {83, 258} if os.uname().machine == "x86_64" else {34}


def serve(fd, file):
    while True:
        request = bytearray(80)
        try:
            fcntl.ioctl(fd, RECEIVE, request)
            identity, = struct.unpack_from("Q", request, 0)
            number, = struct.unpack_from("i", request, 16)
            with open(file + ".calls", "a") as calls:
                calls.write(f"{number}\n")
            if number in MKDIR:
                answer = struct.pack("QqiI", identity, 0, -errno.EXDEV, 0)
            else:
                answer = struct.pack("QqiI", identity, 0, 0, CONTINUE)
            fcntl.ioctl(fd, SEND, bytearray(answer))
        except OSError as error:
            # ENOENT: who asked was killed. Where all are gone, poll(2) would say so; here they end
            # before the agent does.
            if error.errno not in (errno.ENOENT, errno.EINTR):
                return


def receive(connection):
    text, fds = b"", array.array("i")
    while True:
        part, extra, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(4))
        for level, kind, data in extra:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(data)
        if not part:
            return text, fds
        if text:
            sys.exit("the state came in pieces, and supervisors read once")
        text += part


def main():
    path, file, mode = sys.argv[1:]
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path + ".new")
    listener.listen(8)
    os.rename(path + ".new", path)
    if mode == "deaf":
        threading.Event().wait()
    while True:
        connection, _ = listener.accept()
        text, fds = receive(connection)
        connection.close()
        if not fds:
            continue
        with open(file, "ab") as out:
            out.write(text + b"\n")
        if mode == "die":
            os._exit(0)
        threading.Thread(target=serve, args=(fds[0], file), daemon=True).start()


main()
