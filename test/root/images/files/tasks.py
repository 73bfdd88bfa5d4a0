# SPDX-License-Identifier: Apache-2.0
import asyncio
import fcntl
import getpass
import multiprocessing
import os
import sqlite3
import subprocess
import tempfile
import threading


def square(n):
    return n * n


def threads():
    lock, counted = threading.Lock(), [0]

    def count():
        for _ in range(10000):
            with lock:
                counted[0] += 1

    all_threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in all_threads:
        thread.start()
    for thread in all_threads:
        thread.join()
    print('threads: 8 counted', counted[0])


def children():
    ran = subprocess.run(['sort'], input='c\na\nb\n', capture_output=True, text=True, check=True)
    failed = subprocess.run('exit 3', shell=True)
    print(f'subprocess: {" ".join(ran.stdout.split())}, {failed.returncode}')


def database():
    path = os.path.join(os.getcwd(), 'numbers.db')
    with sqlite3.connect(path) as db:
        db.execute('PRAGMA journal_mode=WAL')
        db.execute('CREATE TABLE number (n INTEGER PRIMARY KEY)')
        db.executemany('INSERT INTO number VALUES (?)', ((n,) for n in range(1, 10001)))
    with sqlite3.connect(path) as db:
        count, total = db.execute('SELECT count(*), sum(n) FROM number').fetchone()
    print(f'sqlite: {count} rows, {total}')


async def event_loop():
    async def answer(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    async def ask(port, n):
        reader, writer = await asyncio.open_connection('127.0.0.1', port)
        writer.write(f'n{n}\n'.encode())
        return await reader.readline() == f'N{n}\n'.encode()

    server = await asyncio.start_server(answer, '127.0.0.1', 0)
    port = server.sockets[0].getsockname()[1]
    answers = await asyncio.gather(*(ask(port, n) for n in range(20)))
    server.close()
    print('asyncio:', sum(answers), 'answers')


def locks():
    with tempfile.NamedTemporaryFile() as first, open(first.name, 'rb') as second:
        fcntl.flock(first, fcntl.LOCK_EX)
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            print('file locks: both given')
        except BlockingIOError:
            print('file locks: second refused')


if __name__ == '__main__':
    threads()
    children()
    database()
    with multiprocessing.Pool(2) as pool:
        print('processes:', *pool.map(square, [1, 2, 3, 4]))
    asyncio.run(event_loop())
    locks()
    print('user', getpass.getuser(), 'in', os.getcwd())
