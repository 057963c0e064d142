# SPDX-License-Identifier: GPL-2.0-or-later
"""What an editor of expressions needs of the language: parts of a text, completion, help of functions."""
