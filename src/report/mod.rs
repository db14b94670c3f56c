//! Documents: incident exports, messages, templates.
