"""The blueprint that the pages around a person's account hang on."""

from flask import Blueprint

blueprint = Blueprint("account", __name__)
