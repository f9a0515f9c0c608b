"""Who is measured: how each server is started, and the protocol that it speaks."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from bench.engine.servers import Server, Servers
from bench.engine.sockets import Ours, Plain, Socket, SocketIo
from bench.peers import node

PEER_DATABASE = "peers"
# The servers as fast as they go: the options that the product is started with, too.
UVICORN = (
    *(sys.executable, "-m", "uvicorn", "--port={port}", "--ws=websockets-sansio", "--loop=uvloop"),
    *("--http=httptools", "--ws-per-message-deflate=false", "--lifespan=off", "--no-access-log"),
    *("--log-level=warning", "bench.peers.tutorial:application"),
)
DAPHNE = (sys.executable, "-m", "daphne", "--port={port}", "--verbosity=0", "bench.peers.tutorial:application")
BROADCAST = (sys.executable, "-m", "bench.peers.broadcast", "{port}")


@dataclass(frozen=True)
class Contestant:
    """`rate`: messages per second with which the search for its limit in rooms of 50 begins."""

    name: str
    start: Callable[[Servers], Server]
    kind: type[Socket]
    rate: float


def _peer(name: str, argv: tuple[str, ...]) -> Callable[[Servers], Server]:
    return lambda servers: servers.peer(name, argv, **peer_environment())


def _node(servers: Servers) -> Server:
    """Raises `node.Missing` where Node or its packages cannot be had."""
    packages = node.packages()
    argv = ("node", str(node.FOLDER / "server.js"), "{port}")
    return servers.peer("socketio", argv, NODE_PATH=str(packages), NODE_ENV="production", **peer_environment())


CONTESTANTS = {
    "ours": Contestant("ours", lambda servers: servers.product(), Ours, 400),
    "ours-daphne": Contestant("ours on daphne", lambda servers: servers.product("daphne"), Ours, 200),
    "C": Contestant("plain Channels", _peer("channels", UVICORN), Plain, 80),
    "C-daphne": Contestant("plain Channels on daphne", _peer("channels-daphne", DAPHNE), Plain, 30),
    "D": Contestant("Node socket.io", _node, SocketIo, 800),
    "W": Contestant("bare websockets", _peer("websockets", BROADCAST), Plain, 2000),
}


def peer_environment() -> dict[str, str]:
    """Where the peers keep what they store: a database and a Redis number of their own."""
    database, redis = os.environ["DATABASE_URL"], os.environ["REDIS_URL"]
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    peers = {"PEER_DATABASE_URL": f"{database.rpartition('/')[0]}/{PEER_DATABASE}"}
    return {**environment, **peers, "PEER_REDIS_URL": redis.replace("db=0", "db=1")}


def make_peer_database() -> None:
    """An empty database for the peers beside the product's."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(PEER_DATABASE)))
