use super::translate;
use crate::filter::regex::Pattern;

/// Whether an expression finds something in a text.
fn finds(pattern: &str, options: &str, text: &str) -> bool {
    let compiled = Pattern::new(pattern, options);
    compiled.unwrap_or_else(|error| panic!("{pattern}: {error}")).is_match(text.as_bytes())
}

fn refused(pattern: &str) -> String {
    Pattern::new(pattern, "").map(|_| ()).unwrap_err()
}

#[test]
fn what_the_crate_takes_otherwise_means_what_it_does_to_pcre() {
    for (pattern, yes, no) in [
        ("^[.&&]$", "&", "a"),
        ("^[[a]b]$", "[b]", "a"),
        ("^[a-z--_]$", "5", "{"),
        ("^[a-z&&b]$", "&", "&&"),
        ("^[a~~b]$", "~", "~~"),
        (r"^{{name}}$", "{{name}}", "name"),
        (r"^x{,3}$", "x{,3}", "xx"),
        (r"^\Qa & b.\E$", "a & b.", "a & bc"),
        (r"^\Q\d", r"\d", "5"),
        (r"^\é$", "é", "e"),
        (r"^\/\-\#$", "/-#", "/-"),
        (r"^\x41\x{263a}\101\o{102}\cA\a\e$", "A\u{263a}AB\u{1}\u{7}\u{1b}", "A"),
        (r"^\07\0$", "\u{7}\0", "7"),
        (r"^[\b]$", "\u{8}", "b"),
        (r"^[]a]$", "]", "b"),
        (r"^[^]a]$", "b", "]"),
        (r"^\h$", "\u{a0}", "\n"),
        (r"^\v$", "\u{2028}", " "),
        (r"^\R$", "\r\n", "a\n"),
        (r"^\N$", "a", "\n"),
        (r"(?<year>\d{4})-(?P<month>\d\d)", "2023-11", "23-11"),
        (
            r"a(?#here)*b(?#and
 there)",
            "aab",
            "ac",
        ),
        (r"^[[:alpha:]-]$", "-", "5"),
        (r"^[[:^alpha:]]$", "5", "a"),
        (r"^\p{Lu}\P{Lu}\pL\p{^L}$", "Aaa1", "AAa1"),
        (r"^(?|(a)|(b))$", "b", "c"),
        (r"[[:<:]]cat[[:>:]]", "a cat.", "concatenate"),
        (r"\Kab", "ab", "b"),
        ("a++b|c".trim_start_matches("a++b|"), "c", "b"),
        ("^(a(?i)b|c)$", "C", "A"),
    ] {
        assert!(finds(pattern, "", yes), "{pattern} in {yes:?}");
        assert!(!finds(pattern, "", no), "{pattern} in {no:?}");
    }
}

#[test]
fn letters_and_digits_are_those_of_ascii_unless_the_expression_says_otherwise() {
    assert!(finds(r"\brn", "", "Bjørn") && !finds(r"(*UCP)\brn", "", "Bjørn"));
    assert!(!finds(r"^\w+$", "", "Bjørn") && finds(r"(*UCP)^\w+$", "", "Bjørn"));
    assert!(!finds(r"^\d$", "", "\u{661}") && finds(r"(*UTF)(*UCP)^\d$", "", "\u{661}"));
    assert!(!finds(r"\s", "", "\u{a0}") && finds(r"(*UCP)\s", "", "\u{a0}"));
    assert!(!finds("[[:alpha:]]", "", "ø") && finds("(*UCP)[[:alpha:]]", "", "ø"));
    // Either case of a letter is that of Unicode; sets that have names have no case.
    assert!(finds("bjØrn", "i", "Bjørn") && finds("[Ø]", "i", "ø") && !finds("[^Ø]", "i", "ø"));
    assert!(!finds(r"\w", "i", "\u{212a}") && finds("k", "i", "\u{212a}"));
    assert!(!finds(r"\p{Lu}", "i", "a") && finds("[[:upper:]]", "i", "a"));
}

#[test]
fn a_newline_at_the_end_is_passed_over_as_pcre_does() {
    for pattern in ["a$", r"a\Z", "(a$|b)", "a$(?#end)", "(?:x|a$)", "^a*$", "a(b|$)", "(a$)+"] {
        assert!(finds(pattern, "", "a") && finds(pattern, "", "a\n"), "{pattern}");
        assert!(!finds(pattern, "", "a\nc\n") && !finds(pattern, "", "a\n\n"), "{pattern}");
    }
    assert!(finds(r"a\z", "", "a") && !finds(r"a\z", "", "a\n"));
    assert!(finds("a$", "m", "a\nb") && !finds("^b$", "", "a\nb") && finds("^b$", "m", "a\nb"));
    assert!(!finds("a.b", "", "a\nb") && finds("a.b", "s", "a\nb"));
    assert!(!finds("(a$)b", "", "ab") && !finds("(a$)b", "", "a\nb"));
    for pattern in [r"a$\n", r"a$\s*", "a$[^b]?", r"a\Z\z", r"\R\n", r"\R{2}", "(a$)^"] {
        assert!(refused(pattern).contains("is not supported"), "{pattern}");
    }
    assert!(finds(r"^a\R+b", "", "a\r\n\nb") && finds(r"^\R*$", "", "\r\n"));
}

#[test]
fn spaces_and_comments_are_left_out_where_pcre_leaves_them_out() {
    for (pattern, text) in [
        ("a b", "ab"),
        ("a # comment\n b", "ab"),
        ("a # comment", "a"),
        (r"a\ b", "a b"),
        ("a[ ]b", "a b"),
        ("a +b", "aab"),
        ("a {2}b", "aab"),
        (r"\Qa b\E", "a b"),
        ("a+ ?b", "ab"),
        ("(?-x: )b", " b"),
        ("(?xx)a[ b]", "ab"),
    ] {
        assert!(finds(&format!("^(?:{pattern}\n)$"), "x", text), "{pattern}");
    }
    assert!(!finds("(?xx)[ b]", "", " "));
    assert!(finds("(?x) a (?#b) c", "", "ac") && finds("(?x: a )b c", "", "ab c"));
}

#[test]
fn what_can_not_be_is_refused_by_its_name() {
    for (pattern, reason) in [
        ("(", "the group that begins at byte 0 is not closed"),
        ("a)", "the `)` at byte 1 closes no group"),
        ("[a", "the class that begins at byte 0 is not closed"),
        ("a\\", "it ends in a backslash"),
        ("*", "repeats nothing"),
        ("a**", "repeats nothing"),
        ("^*", "repeats nothing"),
        ("a|+", "repeats nothing"),
        ("a{2,1}", "out of order"),
        ("a{65536}", "more than 65535 times"),
        ("(?=a)", "look-around"),
        ("(?!a)", "look-around"),
        ("(?<=a)", "look-around"),
        ("(?<!a)", "look-around"),
        (r"(a)\1", "a back-reference"),
        (r"(?<n>a)\k<n>", "a back-reference"),
        (r"(?P<n>a)(?P=n)", "a back-reference"),
        (r"\g{1}", "a back-reference"),
        ("(?>a)", "an atomic group"),
        ("a++", "possessive"),
        ("(?R)", "recursion"),
        ("(?1)", "recursion"),
        ("(?-1)", "recursion"),
        ("(?&n)", "recursion"),
        ("(?(1)a)", "a condition"),
        ("(?C1)", "a callout"),
        ("a(*FAIL)", "the verb"),
        ("(*CRLF)a", "the verb"),
        (r"\X", "`\\X`"),
        (r"\C", "`\\C`"),
        (r"\i", "there is no escape `\\i`"),
        (r"\u0041", "there is no escape `\\u`"),
        (r"\p{Foo}", "there is no property `Foo`"),
        (r"\x{110000}", "there is no character"),
        (r"\x{d800}", "there is no character"),
        ("[z-a]", "out of order"),
        (r"[\d-z]", "begins or ends with a set"),
        (r"[a-\d]", "begins or ends with a set"),
        ("[[:foo:]]", "there is no class `[:foo:]`"),
        ("[:alpha:]", "outside of brackets"),
        ("[[.a.]]", "is not supported"),
        ("[.a.]", "outside of brackets"),
        (r"[\R]", "can't be in a class"),
        ("(?<n>a)(?<n>b)", "two groups have the name `n`"),
        ("(?<1>a)", "has no name that a group may have"),
        ("(?z)", "there is no group like that"),
        ("(?#", "is not closed"),
    ] {
        let found = refused(pattern);
        assert!(found.contains(reason), "{pattern}: {found}");
    }
}

#[test]
fn an_expression_that_means_harm_is_refused_soon() {
    let deep = "(".repeat(16_000) + &")".repeat(16_000);
    assert!(refused(&deep).contains("nest deeper"));
    assert!(finds(&("(a|".repeat(250) + &")".repeat(250)), "", "a"));
    assert!(refused(&r"\pL".repeat(10_000)).contains("too large"));
    assert!(refused("((a{1000}){1000}){1000}").contains("takes more than"));
    assert!(refused(&"a".repeat(40_000)).contains("longer than"));
    assert!(translate(&"{".repeat(32_000), "i").is_ok());
    assert!(translate(&"(?i".repeat(10_000), "i").is_err());
    assert!(translate(&"[".repeat(32_000), "x").is_err());
}
