"""What every server and worker loads whatever its settings are; tests/faults/copies.py has it loaded once."""

import gc

import cryptography.x509
import docx
import fpdf
import jinja2
import jsonschema
import jwt
import markdown_it
import openai
import openpyxl
import PIL.Image
import psycopg_pool
import pygments.lexers
import redis.asyncio
import requests
import rich.traceback
import structlog
import uvicorn.main
import yaml
from django.core.management import execute_from_command_line
from django.db import models

__all__ = [
    "PIL",
    "cryptography",
    "docx",
    "execute_from_command_line",
    "fpdf",
    "jinja2",
    "jsonschema",
    "jwt",
    "markdown_it",
    "models",
    "openai",
    "openpyxl",
    "psycopg_pool",
    "pygments",
    "redis",
    "requests",
    "rich",
    "structlog",
    "uvicorn",
    "yaml",
]
# A copy shares its memory with the others for as long as nobody writes there.
gc.freeze()
