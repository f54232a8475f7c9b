package main

import "github.com/spf13/cobra"

// commands returns every subcommand.
func commands() []*cobra.Command {
	return append([]*cobra.Command{
		newRun(),
		newPs(),
		newExec(),
		newShell(),
		newStop(),
		newCleanup(),
		newCompletion(),
		newVersion(),
		newTrace(),
		newCapture(),
		newDrops(),
		newStep(),
		newReplay(),
		newWatch(),
		newShow(),
		newConntrack(),
		newExplain(),
		newWhyNot(),
		newReach(),
		newCheck(),
		newLearn(), newBreak(),
		newCompare(),
		newSet(),
		newPublish(),
		newIptables(),
		newIptablesSave(),
		newIptablesRestore(),
		newPing(),
		newServe(),
		newDocker(),
	}, hostTools()...)
}
