"""The project itself as an app, so that Django finds its checks and commands."""

from django.apps import AppConfig

from chatproject import checks as checks  # registers them


class ChatprojectConfig(AppConfig):
    name = "chatproject"
