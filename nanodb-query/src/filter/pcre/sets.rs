//! Named sets of characters.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

/// Returns the characters of these ranges, both ends included.
pub(super) fn ranges(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(ranges.iter().map(|&(first, last)| ClassUnicodeRange::new(first, last)))
}

pub(super) fn negated(mut set: ClassUnicode) -> ClassUnicode {
    set.negate();
    set
}

/// `\h`.
pub(super) fn horizontal() -> ClassUnicode {
    ranges(&[
        ('\t', '\t'),
        (' ', ' '),
        ('\u{a0}', '\u{a0}'),
        ('\u{1680}', '\u{1680}'),
        ('\u{180e}', '\u{180e}'),
        ('\u{2000}', '\u{200a}'),
        ('\u{202f}', '\u{202f}'),
        ('\u{205f}', '\u{205f}'),
        ('\u{3000}', '\u{3000}'),
    ])
}

/// `\v`.
pub(super) fn vertical() -> ClassUnicode {
    ranges(&[('\n', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')])
}

/// `\d`, `\s` and `\w`.
pub(super) fn of_letter(letter: char, unicode: bool) -> Result<ClassUnicode, String> {
    match letter {
        'd' => posix("digit", unicode),
        's' => posix("space", unicode),
        _ => posix("word", unicode),
    }
}

/// Returns the class of POSIX with this name.
pub(super) fn posix(name: &str, unicode: bool) -> Result<ClassUnicode, String> {
    let of_unicode = match name {
        "alpha" => "L",
        "lower" => "Ll",
        "upper" => "Lu",
        "alnum" => "Xan",
        "digit" => "Nd",
        "space" => "Xps",
        "word" => "Xwd",
        "cntrl" => "Cc",
        _ => "",
    };
    if unicode && !of_unicode.is_empty() {
        return property(of_unicode);
    }
    Ok(match name {
        "alpha" => ranges(&[('a', 'z'), ('A', 'Z')]),
        "lower" => ranges(&[('a', 'z')]),
        "upper" => ranges(&[('A', 'Z')]),
        "alnum" => ranges(&[('a', 'z'), ('A', 'Z'), ('0', '9')]),
        "ascii" => ranges(&[('\0', '\x7f')]),
        "blank" if unicode => horizontal(),
        "blank" => ranges(&[(' ', ' '), ('\t', '\t')]),
        "cntrl" => ranges(&[('\0', '\x1f'), ('\x7f', '\x7f')]),
        "digit" => ranges(&[('0', '9')]),
        "graph" | "print" | "punct" if unicode => {
            return Err(format!("`[:{name}:]` is not supported with `(*UCP)`"));
        }
        "graph" => ranges(&[('!', '~')]),
        "print" => ranges(&[(' ', '~')]),
        "punct" => ranges(&[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')]),
        "space" => ranges(&[('\t', '\r'), (' ', ' ')]),
        "word" => ranges(&[('a', 'z'), ('A', 'Z'), ('0', '9'), ('_', '_')]),
        "xdigit" => ranges(&[('a', 'f'), ('A', 'F'), ('0', '9')]),
        _ => return Err(format!("there is no class `[:{name}:]`")),
    })
}

/// Returns the characters of a property of Unicode, as `\p{...}` names it.
pub(super) fn property(name: &str) -> Result<ClassUnicode, String> {
    let unknown = || format!("there is no property `{name}` of characters");
    let plain: String = name.chars().filter(|letter| !" _-".contains(*letter)).collect();
    let union = |names: &[&str]| {
        let mut all = ClassUnicode::empty();
        for name in names {
            all.union(&known(name).ok_or_else(unknown)?);
        }
        Ok(all)
    };
    match plain.as_str() {
        "L&" => return union(&["LC"]),
        "Xan" => return union(&["L", "N"]),
        "Xwd" => {
            let mut word = union(&["L", "N"])?;
            word.union(&ranges(&[('_', '_')]));
            return Ok(word);
        }
        "Xps" | "Xsp" => {
            let mut space = union(&["Z"])?;
            space.union(&horizontal());
            space.union(&vertical());
            return Ok(space);
        }
        _ => {}
    }
    if let Some((kind, script)) = plain.split_once(['=', ':']) {
        let kind = match kind.to_ascii_lowercase().as_str() {
            "sc" | "script" => "sc",
            "scx" | "scriptextensions" => "scx",
            _ => return Err(unknown()),
        };
        return known(&format!("{kind}={script}")).ok_or_else(unknown);
    }
    // A script's name alone also includes characters that are used in it.
    known(&format!("scx={plain}")).or_else(|| known(&plain)).ok_or_else(unknown)
}

fn known(name: &str) -> Option<ClassUnicode> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '=';
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    match regex_syntax::parse(&format!(r"\p{{{name}}}")).ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        // A set of one.
        HirKind::Literal(literal) => {
            let letter = str::from_utf8(&literal.0).ok()?.chars().next()?;
            Some(ranges(&[(letter, letter)]))
        }
        _ => None,
    }
}
