"""Text for LaTeX: nothing in it is a command, and no character that a font lacks vanishes or stops the run."""

from __future__ import annotations

import unicodedata

__all__ = ["PREAMBLE", "tex"]

# \chr{2212}{$-$}: the character itself where the font has it, else what stands for it.
# \code{1.35}{U+1F600}: small, so many em wide. \fit{30bp}{words}: narrowed where they would be wider, so that nothing
# overlaps whatever the font.
PREAMBLE = r"""\usepackage{iftex}
\usepackage{tikz}
\ifPDFTeX
  \usepackage[T1]{fontenc}
  \usepackage{textcomp}
  \IfFileExists{tgheros.sty}{\usepackage{tgheros}}{\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}}
\else
  \usepackage{fontspec}
  \IfFontExistsTF{texgyreheros-regular.otf}
    {\setsansfont{texgyreheros}[Extension=.otf, UprightFont=*-regular, BoldFont=*-bold]}{}
\fi
\renewcommand{\familydefault}{\sfdefault}
\newcommand{\chr}[2]{\ifPDFTeX#2\else\iffontchar\font"#1 \char"#1 \else#2\fi\fi}
\newcommand{\code}[2]{\resizebox{#1em}{!}{#2}}
\newcommand{\fit}[2]{\setbox0\hbox{#2}\ifdim\wd0>#1\resizebox{#1}{\height}{\box0}\else\box0\fi}"""

_COMMANDS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "'": r"\textquotesingle{}", "`": r"\textasciigrave{}",
    "-": "{-}", ",": "{,}", "?": "{?}", "!": "{!}",
}  # fmt: skip
_ACCENTS = {
    0x300: "`", 0x301: "'", 0x302: "^", 0x303: "~", 0x304: "=", 0x306: "u", 0x307: ".", 0x308: '"', 0x30A: "r",
    0x30B: "H", 0x30C: "v", 0x327: "c", 0x328: "k",
}  # fmt: skip
_MATH = {
    "−": "-", "∂": r"\partial", "′": "^{\\prime}", "″": "^{\\prime\\prime}", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq",
    "≈": r"\approx", "√": r"\surd", "∞": r"\infty", "→": r"\rightarrow", "←": r"\leftarrow", "↑": r"\uparrow",
    "↓": r"\downarrow", "↔": r"\leftrightarrow", "∈": r"\in", "∑": r"\sum", "∏": r"\prod", "∫": r"\int",
    "∇": r"\nabla", "ℓ": r"\ell", "‖": r"\|", "∘": r"\circ", "⊙": r"\odot", "⊕": r"\oplus", "⊗": r"\otimes",
    "✕": r"\times", "⌊": r"\lfloor", "⌋": r"\rfloor", "⟨": r"\langle", "⟩": r"\rangle", "∼": r"\sim", "∝": r"\propto",
    "≡": r"\equiv", "⇒": r"\Rightarrow", "∀": r"\forall", "∃": r"\exists", "∅": r"\emptyset", "∪": r"\cup",
    "∩": r"\cap", "⋅": r"\cdot", "⋯": r"\cdots", "ϵ": r"\epsilon", "ϕ": r"\phi", "ϑ": r"\vartheta",
}  # fmt: skip
_WORDS = {
    "…": r"\ldots{}", "–": r"\textendash{}", "—": r"\textemdash{}", "‘": r"\textquoteleft{}", "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}", "•": r"\textbullet{}", "€": r"\texteuro{}",
    "▪": r"\rule{0.4em}{0.4em}", "\u200d": "",
}  # fmt: skip
_CONTROLS = (  # noqa: SIM905
    "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US"
).split()
_GREEK = (  # noqa: SIM905
    "ALPHA BETA GAMMA DELTA EPSILON ZETA ETA THETA IOTA KAPPA LAMBDA MU NU XI OMICRON PI RHO SIGMA TAU UPSILON PHI CHI "
    "PSI OMEGA"
).split()
_LIKE_LATIN = "ALPHA BETA EPSILON ZETA ETA IOTA KAPPA MU NU OMICRON RHO TAU CHI".split()  # noqa: SIM905
_LATIN = dict(zip(_LIKE_LATIN, "ABEZHIKMNOPTX", strict=True))
_CURLY = {"epsilon": "varepsilon", "phi": "varphi"}


def tex(text: str) -> str:
    """`text` so that TeX sets it as it is.

    >>> tex("50 % of x_1 − {y}")
    '50 \\\\% of x\\\\_1 \\\\chr{2212}{$-$} \\\\{y\\\\}'
    """
    parts = []
    for i, c in enumerate(text):
        if c == " " and (i == 0 or i == len(text) - 1 or text[i - 1] == " "):
            parts.append("\\ ")
        elif c in _COMMANDS:
            parts.append(_COMMANDS[c])
        else:
            parts.append(c if c.isascii() else f"\\chr{{{ord(c):X}}}{{{_instead(c)}}}")
    return "".join(parts)


def _instead(c: str) -> str:
    """What stands for a character where the font does not have it."""
    code = ord(c)
    if c in _MATH:
        return f"${_MATH[c]}$"
    if c in _WORDS:
        return _WORDS[c]
    if 0xA1 <= code <= 0xFF:
        return c  # pdfLaTeX knows all of these
    name = unicodedata.name(c, "")
    greek = name.removeprefix("GREEK ").replace("LAMDA", "LAMBDA")
    case, _, letter = greek.partition(" LETTER ")
    if name.startswith("GREEK ") and case in ("SMALL", "CAPITAL") and letter in _GREEK:
        return _greek(letter, case == "CAPITAL")
    if 0x2400 <= code < 0x2420:
        return rf"\code{{0.8}}{{{_CONTROLS[code - 0x2400]}}}"
    kind, *parts = (unicodedata.decomposition(c) or "-").split()
    if kind in ("<super>", "<sub>") and all(int(p, 16) < 128 for p in parts):
        raised = "".join(tex(chr(int(p, 16))) for p in parts)
        return rf"\text{kind[1:-1]}script{{{raised}}}"
    if len(parts) == 1 and int(parts[0], 16) in _ACCENTS and chr(int(kind, 16)).isascii():
        return rf"\{_ACCENTS[int(parts[0], 16)]}{{{chr(int(kind, 16))}}}"
    if 0xFE00 <= code <= 0xFE0F:
        return ""  # says how the character before it looks
    wide = 1.35 if unicodedata.east_asian_width(c) in "WF" else 0.75
    return rf"\code{{{wide}}}{{U+{code:04X}}}"


def _greek(letter: str, capital: bool) -> str:
    if capital:
        return _LATIN.get(letter) or rf"$\{letter.capitalize()}$"
    small = letter.lower()
    return "o" if small == "omicron" else rf"$\{_CURLY.get(small, small)}$"
