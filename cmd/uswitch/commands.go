package main

import "github.com/spf13/cobra"

// commands returns every subcommand.
func commands() []*cobra.Command {
	return []*cobra.Command{newRun(), newPing(), newServe(), newVersion()}
}
