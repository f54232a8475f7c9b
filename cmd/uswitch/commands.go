package main

import "github.com/spf13/cobra"

// commands returns every subcommand.
func commands() []*cobra.Command {
	return append([]*cobra.Command{
		newRun(),
		newUp(),
		newDown(),
		newLs(),
		newPs(),
		newExec(),
		newShell(),
		newStop(),
		newLogs(),
		newCleanup(),
		newCompletion(),
		newDoctor(),
		newVersion(),
		newHelp(),
		newTrace(),
		newCapture(),
		newDrops(),
		newStep(),
		newReplay(),
		newWatch(),
		newWeb(),
		newShow(),
		newGraph(),
		newConntrack(),
		newExplain(),
		newWhyNot(),
		newReach(),
		newCheck(),
		newLearn(), newBreak(),
		newCompare(),
		newApply(),
		newSet(),
		newPublish(),
		rulesTools[0].edit(),
		rulesTools[0].save(),
		rulesTools[0].restore(),
		rulesTools[1].edit(),
		rulesTools[1].save(),
		rulesTools[1].restore(),
		newPing(), newTraceroute(),
		newServe(),
		newRootlessLab(),
		newDocker(),
		dockerComposeAlone(),
	}, append(hostTools(), ofTheBuild...)...)
}

// ofTheBuild are subcommands that only a build with a tag has (manual.go).
var ofTheBuild []*cobra.Command
