//! Signing in: pages, cookies, sessions and their lives.

mod cookies_and_pages;
mod guessing;
mod lifetimes;
mod passwords;
mod single_sign_on;
mod upstream;
