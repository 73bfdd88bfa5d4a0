#!/usr/bin/python3.11
# SPDX-License-Identifier: Apache-2.0
"""Python: modules in C, threads, children, exceptions from signals."""
import ctypes
import hashlib
import multiprocessing
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading


def check(condition, name):
    print(("ok" if condition else "FAIL") + " python: " + name, flush=True)


def modules():
    context = ssl.create_default_context()
    check(context.verify_mode == ssl.CERT_REQUIRED, "ssl")
    check(hashlib.sha256(b"abc").hexdigest().startswith("ba7816bf"), "hashlib")
    libc = ctypes.CDLL("libc.so.6", use_errno=True)
    check(libc.getpid() == os.getpid(), "ctypes calls C")
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    values = (ctypes.c_int * 5)(3, 1, 5, 2, 4)
    libc.qsort(values, 5, ctypes.sizeof(ctypes.c_int), compare(lambda a, b: a[0] - b[0]))
    check(list(values) == [1, 2, 3, 4, 5], "C calls back")


def threads():
    total = [0]
    lock = threading.Lock()

    def add():
        for _ in range(2000):
            with lock:
                total[0] += 1

    workers = [threading.Thread(target=add) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    check(total[0] == 8000, "threads")


def raise_in_handler(number, frame):
    raise InterruptedError("by a signal")


def signals():
    signal.signal(signal.SIGALRM, raise_in_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        while True:
            pass
    except InterruptedError:
        check(True, "a signal raises in a loop")
    reader, writer = socket.socketpair()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        reader.recv(1)
    except InterruptedError as error:
        check(str(error) == "by a signal", "a signal raises in a system call")
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def deep(level):
    return 1 + deep(level + 1)


def exceptions():
    try:
        deep(0)
    except RecursionError:
        check(True, "recursion ends in an exception")


def square(number):
    return number * number


def children():
    done = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True, check=False)
    check((done.returncode, done.stdout) == (0, "42\n"), "subprocess")
    killed = subprocess.run([sys.executable, "-c", "import ctypes; ctypes.string_at(8)"], check=False)
    check(killed.returncode == -signal.SIGSEGV, "a child's crash")
    with multiprocessing.get_context("fork").Pool(2) as pool:
        check(pool.map(square, range(50)) == [n * n for n in range(50)], "multiprocessing")


if __name__ == "__main__":
    modules()
    threads()
    signals()
    exceptions()
    children()
