// Checks that the pods of manifests meet the profile "restricted" of Kubernetes' Pod Security Standards, with the
// evaluator of Kubernetes itself: pod-security FILE…
// A file contains one JSON object per line, each a PodTemplateSpec with the name of its owner in metadata.name.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func main() {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	pods, refused := 0, 0
	for _, name := range os.Args[1:] {
		file, err := os.Open(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<24)
		for lines.Scan() {
			var pod corev1.PodTemplateSpec
			if err := json.Unmarshal(lines.Bytes(), &pod); err != nil {
				fmt.Fprintln(os.Stderr, name, err)
				os.Exit(2)
			}
			pods++
			result := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec))
			if !result.Allowed {
				refused++
				fmt.Printf("%s: %s: %s\n", name, pod.Name, result.ForbiddenDetail())
			}
		}
		file.Close()
	}
	fmt.Printf("Pod Security restricted: %d pods, %d refused\n", pods, refused)
	if pods == 0 || refused > 0 {
		os.Exit(1)
	}
}
