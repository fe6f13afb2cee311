"""The shared options, said once, in the signature and the docstring of every model."""

import re
from dataclasses import fields
from inspect import Parameter, Signature, cleandoc, signature
from typing import Any, get_type_hints

from collie_core.model.options import SharedOptions

OPTIONS = "options"
OPTIONS_LINE = re.compile(rf"^ *\*\*{OPTIONS} : see `\w+`\.\n?", re.MULTILINE)


def show_options(model: Any, options: type[SharedOptions]) -> None:
    """Let `help(model)` list the options that its constructor takes as ``**options``."""
    own = dict(signature(model.__init__).parameters)
    own.pop("self", None)
    if own.get(OPTIONS, Parameter(OPTIONS, Parameter.KEYWORD_ONLY)).kind is Parameter.VAR_KEYWORD:
        del own[OPTIONS]
        own |= {each.name: each for each in _shared(model, options) if each.name not in own}
        if model.__doc__ is not None:  # python -OO has none
            model.__doc__ = OPTIONS_LINE.sub(
                lambda _: _documented(options), cleandoc(model.__doc__)
            )
    model.__signature__ = Signature(list(own.values()))


def _shared(model: Any, options: type[SharedOptions]) -> list[Parameter]:
    hints, defaults = get_type_hints(options), model.option_defaults
    return [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=defaults.get(field.name, field.default),
            annotation=hints[field.name],
        )
        for field in fields(options)
    ]


def _documented(options: type[SharedOptions]) -> str:
    """Return the lines on parameters of `options` and of what it extends, the first first."""
    kinds = [kind for kind in options.__mro__ if issubclass(kind, SharedOptions)]
    texts = [cleandoc(kind.__doc__ or "").partition("----------\n")[2].rstrip() for kind in kinds]
    return "".join(f"{text}\n" for text in texts)
