// Package lesson teaches: a lesson is a Markdown file, read aloud step by step beside a lab that is up.
//
//	lessons/04-gateway.md --parse--> Lesson: a lab, and steps --play--> a person at a terminal, or nobody (Auto)
//
// # A lesson file
//
// Front matter has the title in each language. What follows is text, and fenced blocks that do something:
//
//	---
//	order: 4
//	title: {en: The gateway, ko: 게이트웨이}
//	---
//	```lab                 the lab, a Compose file; its checks (x-uswitch.checks) are what the lesson speaks of
//	[en]                   text in one language, up to the next mark or block that does something
//	[ko]
//	```run                 commands to type, one a line; a word behind run says how they end: fails, or either; real: they
//	                       need this machine itself, and are left out in memory
//	```expect              lines that the commands above have written, in part
//	```fails               names of checks that must fail now; the switch says why
//	```mend NAME ...       commands that make checks hold which did not
//	```holds               names of checks that must hold now
//	```question            what the text right above it asks, before it is seen; see Question
//
// A block of any other kind is shown as it is. There is one machine part for all languages, so that no translation can have
// other commands or checks than the original. Every check of the lab must be mended by some step: a check that is never
// seen to fail proves nothing.
package lesson
