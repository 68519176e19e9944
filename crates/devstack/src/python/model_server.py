"""One OpenAI-compatible address for a chat model and an embedding model.

Two llama.cpp servers run inside this process on loopback ports of their own; a thin
streaming proxy in front of them sends embedding requests to one and all else to the
other. Whatever the servers answer passes through byte for byte; only the list of
models is put together from both.

The settings come as one JSON object on standard input, so that the API key is in no
argument list: port, api_key, threads, chat {id, path}, embedding {id, path}.
"""

import asyncio
import json
import sys
from urllib.parse import urlsplit

import xllamacpp

HEAD_LIMIT = 64 * 1024
MODEL_LISTS = ("/v1/models", "/models")


def llama_server(settings, model, embedding):
    params = xllamacpp.CommonParams()
    params.model.path = model["path"]
    params.model_alias = {model["id"]}
    params.api_keys = [settings["api_key"]]
    params.port = 0
    params.n_gpu_layers = 0
    params.ui = False
    # More threads than free cores make the server stall, and tests share the machine.
    params.cpuparams.n_threads = settings["threads"]
    params.cpuparams_batch.n_threads = settings["threads"]
    params.embedding = embedding
    params.n_parallel = 4 if embedding else 2
    params.n_ctx = 2048 if embedding else 8192
    server = xllamacpp.Server(params)
    return server, urlsplit(server.listening_address)


class Message:
    """The head of an HTTP/1.1 message and how its body is framed."""

    def __init__(self, head: bytes):
        self.head = head
        lines = head.decode("latin-1").split("\r\n")
        self.first = lines[0].split(" ")
        self.headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                self.headers[name.strip().lower()] = value.strip()

    @property
    def chunked(self):
        return "chunked" in self.headers.get("transfer-encoding", "").lower()

    @property
    def length(self):
        return int(self.headers.get("content-length", "0"))

    @property
    def framed(self):
        return self.chunked or "content-length" in self.headers

    @property
    def closes(self):
        return self.headers.get("connection", "").lower() == "close"

    @property
    def path(self):
        return self.first[1].partition("?")[0]


async def read_head(reader):
    return Message(await reader.readuntil(b"\r\n\r\n"))


async def body(reader, message, until_end=False):
    """The pieces of a body, framing included."""
    if message.chunked:
        while True:
            line = await reader.readuntil(b"\r\n")
            yield line
            size = int(line.split(b";")[0], 16)
            if size:
                yield await reader.readexactly(size + 2)
                continue
            while line != b"\r\n":  # trailers, up to the empty line that ends them
                line = await reader.readuntil(b"\r\n")
                yield line
            return
    if until_end and not message.framed:
        while piece := await reader.read(HEAD_LIMIT):
            yield piece
        return
    left = message.length
    while left:
        piece = await reader.read(min(left, HEAD_LIMIT))
        if not piece:
            raise asyncio.IncompleteReadError(b"", left)
        left -= len(piece)
        yield piece


async def when_gone(reader):
    """Returns once the client has closed its side: an answer nobody waits for is not computed."""
    while not (reader.at_eof() or reader.exception()):
        await asyncio.sleep(0.05)


class Front:
    def __init__(self, chat, embedding):
        self.chat, self.embedding = chat, embedding

    async def serve(self, reader, writer):
        try:
            while True:
                request = await read_head(reader)
                content = b"".join([piece async for piece in body(reader, request)])
                answer = asyncio.create_task(self.answer(request, content, writer))
                gone = asyncio.create_task(when_gone(reader))
                await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
                gone.cancel()
                if not answer.done():
                    answer.cancel()
                    return
                if answer.result() or request.closes:
                    return
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, ValueError):
            pass  # a client that left or does not speak HTTP
        finally:
            writer.close()

    async def answer(self, request, content, writer):
        """Answers one request; says whether the connection must close after it."""
        if request.first[0] == "GET" and request.path in MODEL_LISTS:
            return await self.list_models(request, writer)
        embeds = request.path.rstrip("/").endswith(("/embeddings", "/embedding"))
        return await self.relay(self.embedding if embeds else self.chat, request, content, writer)

    async def relay(self, backend, request, content, writer):
        reader, upstream = await asyncio.open_connection(backend.hostname, backend.port, limit=HEAD_LIMIT)
        try:
            upstream.write(request.head + content)
            await upstream.drain()
            response = await read_head(reader)
            writer.write(response.head)
            if request.first[0] != "HEAD" and response.first[1] not in ("204", "304"):
                async for piece in body(reader, response, until_end=True):
                    writer.write(piece)
                    await writer.drain()
            await writer.drain()
            return response.closes or not response.framed
        finally:
            upstream.close()

    async def list_models(self, request, writer):
        answers = [await self.fetch(backend, request) for backend in (self.chat, self.embedding)]
        response, content = answers[0]
        if response.first[1] != "200":
            writer.write(response.head + content)
            await writer.drain()
            return response.closes or not response.framed
        merged = json.loads(content)
        for key, value in json.loads(answers[1][1]).items():
            if isinstance(value, list):
                merged.setdefault(key, []).extend(value)
        content = json.dumps(merged).encode()
        head = "HTTP/1.1 200 OK\r\nServer: llama.cpp\r\nContent-Type: application/json; charset=utf-8\r\n"
        writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
        await writer.drain()
        return False

    async def fetch(self, backend, request):
        reader, upstream = await asyncio.open_connection(backend.hostname, backend.port, limit=HEAD_LIMIT)
        try:
            upstream.write(request.head)
            response = await read_head(reader)
            return response, b"".join([piece async for piece in body(reader, response, until_end=True)])
        finally:
            upstream.close()


async def main():
    settings = json.loads(sys.stdin.readline())
    # The port is taken before the models load, so that a clash ends this at once.
    listener = await asyncio.start_server(
        lambda reader, writer: front.serve(reader, writer),
        "127.0.0.1",
        settings["port"],
        limit=HEAD_LIMIT,
        backlog=1024,
        start_serving=False,
    )
    chat, chat_address = llama_server(settings, settings["chat"], embedding=False)
    embedding, embedding_address = llama_server(settings, settings["embedding"], embedding=True)
    front = Front(chat_address, embedding_address)
    print("ready", chat_address.port, embedding_address.port, file=sys.stderr, flush=True)
    async with listener:
        await listener.serve_forever()
    del chat, embedding


if __name__ == "__main__":
    asyncio.run(main())
