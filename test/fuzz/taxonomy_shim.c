/*
 * taxonomy_shim.c
 *		A small taxonomy that needs no tables, for the documents' fuzz target.
 */
#include "document/inspection.h"
#include "document/taxonomy.h"

#define NAMES(...) \
	{ \
		lengthof(((const char *[]){__VA_ARGS__})), (const char *[]) \
		{ \
			__VA_ARGS__ \
		} \
	}

static const NameSet names[] = {
	[NAME_HARDWARE_CLASS] = NAMES("cpu", "gpu", "tpu", "npu", "unknown"),
	[NAME_ARCHITECTURE] = NAMES("x86_64", "gpu_cuda", "gpu_rocm", "gpu_webgpu"),
	[NAME_VENDOR] = NAMES("amd", "intel", "nvidia", "other"),
	[NAME_BACKEND] = NAMES("cuda", "onnx", "pytorch", "rocm", "webgpu", "webnn"),
	[NAME_PRECISION] = NAMES("fp16", "fp32", "int8"),
	[NAME_FEATURE] = NAMES("avx", "simd", "tensor_cores"),
	[NAME_WORKLOAD_TYPE] = NAMES("mixed", "nlp", "training", "vision"),
	[NAME_BACKEND_OR_CLASS] =
		NAMES("cpu", "cuda", "gpu", "npu", "onnx", "pytorch", "rocm", "tpu", "webgpu"),
	[NAME_STRATEGY] = NAMES("replicated", "sharded", "single"),
};

static const TypeWord type_words[] = {
	{"vision", "vision"}, {"image", "vision"}, {"text", "nlp"}, {"training", "training"}};

static Jsonb profiles[] = {
	{{"{\"hardware_class\": \"cpu\", \"architecture\": \"x86_64\", \"model_name\": \"CPU-\","
	  " \"supported_backends\": [\"pytorch\", \"onnx\"], \"clock_speed_mhz\": 2500}"}},
	{{"{\"hardware_class\": \"cpu\", \"model_name\": \"Generic-CPU\", \"supported_precisions\":"
	  " [\"fp32\"]}"}},
	{{"{\"hardware_class\": \"gpu\", \"vendor\": \"amd\", \"model_name\": \"GPU-\","
	  " \"supported_backends\": [\"onnx\", \"rocm\"], \"compute_units\": 80}"}},
	{{"{\"hardware_class\": \"gpu\", \"vendor\": \"nvidia\", \"supported_backends\": [\"cuda\"],"
	  " \"memory_total_bytes\": 8589934592, \"memory_is_shared\": true}"}},
	{{"{\"hardware_class\": \"gpu\", \"architecture\": \"gpu_webgpu\", \"supported_backends\":"
	  " [\"webgpu\", \"webnn\"]}"}},
};

static const ImpliedDevice implied_devices[] = {
	{"cpu", {0}, {0}, false, &profiles[0]},
	{"generic", {0}, {0}, false, &profiles[1]},
	{"amd_gpu", NAMES("rocm"), NAMES("rocm", "gpu"), false, &profiles[2]},
	{"nvidia_gpu", NAMES("cuda", "gpu"), NAMES("cuda", "gpu"), false, &profiles[3]},
	{"browser", NAMES("webgpu", "webnn"), NAMES("webgpu", "webnn"), true, &profiles[4]},
};

bool
taxonomy_knows(TaxonomyKind kind, const char *name)
{
	return names_contain(&names[kind], name);
}

const char *
taxonomy_list(TaxonomyKind kind)
{
	return names[kind].count > 0 ? names[kind].names[0] : "";
}

const TypeWord *
taxonomy_type_words(int *count)
{
	*count = lengthof(type_words);
	return type_words;
}

const ImpliedDevice *
taxonomy_implied_devices(int *count)
{
	*count = lengthof(implied_devices);
	return implied_devices;
}

const NameSet *
taxonomy_names(TaxonomyKind kind)
{
	return &names[kind];
}

/* --- inspections: of names only, the others need a server's errors --- */

Inspection *
inspect_names(void)
{
	static Inspection of_names = {.names_only = true};

	return &of_names;
}

void
inspection_unknown_key(Inspection *inspection, const Document *document, const char *path,
					   const char *key)
{
}

void
inspection_warn(Inspection *inspection, const char *path, const char *hint, const char *format, ...)
{
}

void
inspection_catch(Inspection *inspection, const char *path)
{
	finding("an inspection of names lists nothing");
}
