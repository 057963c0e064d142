# SPDX-License-Identifier: GPL-2.0-or-later
"""Text to formula: dialects, lexer, parser, names of bands."""
