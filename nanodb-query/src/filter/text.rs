//! Conditions on text that need no regular expression to be written, and letters of either case.

use super::Filter;
use super::build::FieldName;
use super::cost::Cost;
use super::regex::{Pattern, escape};
use super::tree::{Conjunction, Junction, Test};
use crate::error::Problem;

impl FieldName {
    /// Matches if the field, or one of its elements, is a string that contains this text: `$regex`
    /// of the text, in which no character is special.
    ///
    /// The search takes time linear in the string, and no automaton. For letters of either case,
    /// see [`Filter::ignoring_case`].
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// let filter = field("title").contains("C++ (2nd");
    /// assert_eq!(filter.to_string(), r#"{"title": {"$regex": "C\\+\\+ \\(2nd"}}"#);
    /// ```
    #[must_use]
    pub fn contains(self, text: &str) -> Filter {
        self.with_text("", text, "")
    }

    /// Matches if the field, or one of its elements, is a string that begins with this text.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// let filter = field("path").starts_with("/home");
    /// assert_eq!(filter.to_string(), r#"{"path": {"$regex": "\\A/home"}}"#);
    /// ```
    #[must_use]
    pub fn starts_with(self, text: &str) -> Filter {
        self.with_text("\\A", text, "")
    }

    /// Matches if the field, or one of its elements, is a string that ends with this text.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// let filter = field("file").ends_with(".rs");
    /// assert_eq!(filter.to_string(), r#"{"file": {"$regex": "\\.rs\\z"}}"#);
    /// ```
    #[must_use]
    pub fn ends_with(self, text: &str) -> Filter {
        self.with_text("", text, "\\z")
    }

    fn with_text(self, before: &str, text: &str, after: &str) -> Filter {
        let mut pattern = before.to_owned();
        escape(text, &mut pattern);
        pattern.push_str(after);
        match Pattern::new(&pattern, "") {
            Ok(pattern) => self.tested(Test::Regex(pattern), Cost::REGEX),
            Err(reason) => {
                let path = self.name();
                Filter::refused(Problem::Regex { pattern, path, reason })
            }
        }
    }
}

impl Filter {
    /// Lets all conditions of this filter on text, such as [`contains`](FieldName::contains) and
    /// [`regex`](FieldName::regex), match letters of either case: adds the option `i` to them.
    /// Other conditions, `eq` among them, stay as they are.
    ///
    /// A filter without such a condition is refused: every use of it is the error.
    ///
    /// ```
    /// # extern crate nanodb_query as nanodb;
    /// use nanodb::field;
    ///
    /// let filter = field("title").contains("rust").ignoring_case();
    /// assert_eq!(filter.to_string(), r#"{"title": {"$regex": "rust", "$options": "i"}}"#);
    /// assert!(field("title").eq("rust").ignoring_case().check().is_err());
    /// ```
    #[must_use]
    pub fn ignoring_case(self) -> Self {
        if self.refused.is_some() {
            return self;
        }
        let mut cost = self.cost;
        let mut root = self.into_root();
        match root.ignore_case() {
            Ok(0) => Self::refused(Problem::NoText),
            Ok(count) => {
                // Each may have got options that it had not.
                cost.nodes = cost.nodes.saturating_add(count);
                Self::built(root, cost)
            }
            Err(problem) => Self::refused(problem),
        }
    }
}

impl Conjunction {
    /// Returns how many expressions there are.
    fn ignore_case(&mut self) -> Result<usize, Problem> {
        let mut count = 0;
        for condition in self.groups.iter_mut().flat_map(|group| &mut group.conditions) {
            count += condition.test.ignore_case(condition.path.as_str())?;
        }
        for junction in &mut self.others {
            let (Junction::Or(branches) | Junction::Nor(branches)) = junction;
            for branch in branches {
                count += branch.ignore_case()?;
            }
        }
        Ok(count)
    }
}

impl Test {
    fn ignore_case(&mut self, path: &str) -> Result<usize, Problem> {
        match self {
            Self::Regex(pattern) => pattern.ignore_case(path).map(|()| 1),
            Self::In(choice) => {
                choice.patterns.iter_mut().try_for_each(|pattern| pattern.ignore_case(path))?;
                Ok(choice.patterns.len())
            }
            Self::All(tests) | Self::ElementValue(tests) | Self::Not(tests) => {
                tests.iter_mut().try_fold(0, |count, test| Ok(count + test.ignore_case(path)?))
            }
            Self::ElementDocument(conjunction) => conjunction.ignore_case(),
            Self::Equal(_)
            | Self::Greater(_)
            | Self::GreaterOrEqual(_)
            | Self::Less(_)
            | Self::LessOrEqual(_)
            | Self::Exists(_)
            | Self::Type(_)
            | Self::Size(_)
            | Self::Mod { .. }
            | Self::Bits(_) => Ok(0),
        }
    }
}

impl Pattern {
    fn ignore_case(&mut self, path: &str) -> Result<(), Problem> {
        if self.options().contains('i') {
            return Ok(());
        }
        match Self::new(self.text(), &format!("{}i", self.options())) {
            Ok(pattern) => {
                *self = pattern;
                Ok(())
            }
            Err(reason) => {
                let (pattern, path) = (self.text().to_owned(), path.to_owned());
                Err(Problem::Regex { pattern, path, reason })
            }
        }
    }
}
