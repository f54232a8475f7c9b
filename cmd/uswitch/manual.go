//go:build manual

package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func init() { ofTheBuild = append(ofTheBuild, newManual()) }

// newManual returns the command by which the Makefile makes the man pages and completion scripts: they are written from the
// commands themselves, so that they cannot say anything else. What writes them is not in the program that people run.
func newManual() *cobra.Command {
	return &cobra.Command{
		Use:     "manual DIR",
		Short:   "Write man pages and completion scripts into a directory",
		Long:    "Writes man pages and completion scripts as a package installs them: below DIR as below /usr/share.",
		Example: "  uswitch manual share",
		GroupID: groupLab,
		Hidden:  true,
		Args:    usage(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			pages := filepath.Join(args[0], "man", "man1")
			if err := os.MkdirAll(pages, 0o755); err != nil {
				return err
			}
			asWritten(c.Root())
			c.Root().DisableAutoGenTag = true // it bears the day
			if err := doc.GenManTree(c.Root(), &doc.GenManHeader{Section: "1", Source: "uswitch", Manual: "uswitch"}, pages); err != nil {
				return err
			}
			for _, s := range []struct {
				path  string
				write func(file string) error
			}{
				{"bash-completion/completions/uswitch", func(file string) error { return c.Root().GenBashCompletionFileV2(file, true) }},
				{"zsh/site-functions/_uswitch", c.Root().GenZshCompletionFile},
				{"fish/vendor_completions.d/uswitch.fish", func(file string) error { return c.Root().GenFishCompletionFile(file, true) }},
			} {
				file := filepath.Join(args[0], filepath.FromSlash(s.path))
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					return err
				}
				if err := s.write(file); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// asWritten makes the indented lines of every long text a block of its own, which Markdown, and with it the page, leaves as
// it is.
func asWritten(c *cobra.Command) {
	var lines []string
	block := false
	for line := range strings.SplitSeq(c.Long, "\n") {
		if indented := strings.HasPrefix(line, "  "); indented != block && line != "" {
			block = indented
			lines = append(lines, "")
		}
		if block && line != "" {
			line = "    " + line
		}
		lines = append(lines, line)
	}
	c.Long = strings.Join(lines, "\n")
	for _, sub := range c.Commands() {
		asWritten(sub)
	}
}
