-- The taxonomy: the names that documents may use and what words mean. These
-- tables alone have no pool. An administrator extends them with rows; the
-- extension's own rows are marked builtin and are neither changed nor dumped.
CREATE TYPE hwsched.taxonomy_kind AS ENUM
    ('hardware_class', 'architecture', 'vendor', 'backend', 'precision', 'feature', 'workload_type',
     'allocation_strategy');
COMMENT ON TYPE hwsched.taxonomy_kind IS 'The kinds of names in the taxonomy.';

CREATE TABLE hwsched.taxonomy (
    kind hwsched.taxonomy_kind NOT NULL,
    name text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_.:-]{0,62}$'),
    builtin boolean NOT NULL DEFAULT false,
    PRIMARY KEY (kind, name)
);
COMMENT ON TABLE hwsched.taxonomy IS 'The names that documents may use, by kind.';
COMMENT ON COLUMN hwsched.taxonomy.kind IS 'The kind of name.';
COMMENT ON COLUMN hwsched.taxonomy.name IS
  'The name, in lower case; documents may spell it in any case.';
COMMENT ON COLUMN hwsched.taxonomy.builtin IS 'True for the extension''s own rows.';

CREATE TABLE hwsched.type_word (
    position int NOT NULL,
    word text COLLATE "C" NOT NULL CHECK (word ~ '^[a-z0-9]+$'),
    workload_type text COLLATE "C" NOT NULL,
    builtin boolean NOT NULL DEFAULT false,
    PRIMARY KEY (word)
);
COMMENT ON TABLE hwsched.type_word IS
  'The words of a test_type that tell its workload type, tried in order of position as whole '
  'words.';
COMMENT ON COLUMN hwsched.type_word.position IS 'Order of trial: the lowest first.';
COMMENT ON COLUMN hwsched.type_word.word IS 'A word, in lower case.';
COMMENT ON COLUMN hwsched.type_word.workload_type IS
  'The workload type it means; a word for one that the taxonomy does not have counts for nothing.';
COMMENT ON COLUMN hwsched.type_word.builtin IS 'True for the extension''s own rows.';

CREATE TABLE hwsched.class_similarity (
    class_1 text COLLATE "C" NOT NULL,
    class_2 text COLLATE "C" NOT NULL,
    similarity float8 NOT NULL CHECK (similarity BETWEEN 0 AND 1),
    builtin boolean NOT NULL DEFAULT false,
    PRIMARY KEY (class_1, class_2)
);
COMMENT ON TABLE hwsched.class_similarity IS
  'How well one hardware class stands in for another, in either order; a class for itself 1 and '
  'others 0 where no row says so.';
COMMENT ON COLUMN hwsched.class_similarity.class_1 IS 'One hardware class.';
COMMENT ON COLUMN hwsched.class_similarity.class_2 IS 'The other.';
COMMENT ON COLUMN hwsched.class_similarity.similarity IS '0..1.';
COMMENT ON COLUMN hwsched.class_similarity.builtin IS 'True for the extension''s own rows.';

CREATE TABLE hwsched.implied_device (
    name text COLLATE "C" PRIMARY KEY,
    position int NOT NULL,
    words text[] NOT NULL CHECK (array_position(words, NULL) IS NULL),
    absorbs text[] NOT NULL DEFAULT '{}' CHECK (array_position(absorbs, NULL) IS NULL),
    only_listed boolean NOT NULL DEFAULT false,
    profile jsonb NOT NULL CHECK (jsonb_typeof(profile) = 'object'),
    builtin boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE hwsched.implied_device IS
  'The devices that words of a worker''s supported_backends imply, tried in order of position.';
COMMENT ON COLUMN hwsched.implied_device.name IS
  'Name of the kind; cpu (implied by cpu_cores) and generic (implied by nothing else) have no '
  'words.';
COMMENT ON COLUMN hwsched.implied_device.position IS
  'Order in which kinds are tried and devices are numbered.';
COMMENT ON COLUMN hwsched.implied_device.words IS
  'Any of these whole words tells that the device is there.';
COMMENT ON COLUMN hwsched.implied_device.absorbs IS
  'Words that mean this device, and no other, once it is there.';
COMMENT ON COLUMN hwsched.implied_device.only_listed IS
  'True: it supports only those of its backends that the worker lists.';
COMMENT ON COLUMN hwsched.implied_device.profile IS
  'Its device profile; model_name is a prefix, memory that is absent is the worker''s.';
COMMENT ON COLUMN hwsched.implied_device.builtin IS 'True for the extension''s own rows.';

INSERT INTO hwsched.taxonomy (kind, name, builtin) VALUES
    ('hardware_class', 'cpu', true),
    ('hardware_class', 'gpu', true),
    ('hardware_class', 'tpu', true),
    ('hardware_class', 'npu', true),
    ('hardware_class', 'dsp', true),
    ('hardware_class', 'fpga', true),
    ('hardware_class', 'asic', true),
    ('hardware_class', 'hybrid', true),
    ('hardware_class', 'unknown', true),
    ('architecture', 'x86', true),
    ('architecture', 'x86_64', true),
    ('architecture', 'arm', true),
    ('architecture', 'arm64', true),
    ('architecture', 'ppc', true),
    ('architecture', 'ppc64', true),
    ('architecture', 'mips', true),
    ('architecture', 'riscv', true),
    ('architecture', 'gpu_cuda', true),
    ('architecture', 'gpu_rocm', true),
    ('architecture', 'gpu_metal', true),
    ('architecture', 'gpu_webgpu', true),
    ('architecture', 'tpu', true),
    ('architecture', 'npu_qualcomm', true),
    ('architecture', 'npu_mediatek', true),
    ('architecture', 'npu_samsung', true),
    ('architecture', 'dsp_hexagon', true),
    ('architecture', 'fpga_intel', true),
    ('architecture', 'fpga_xilinx', true),
    ('architecture', 'other', true),
    ('vendor', 'intel', true),
    ('vendor', 'amd', true),
    ('vendor', 'nvidia', true),
    ('vendor', 'arm', true),
    ('vendor', 'apple', true),
    ('vendor', 'qualcomm', true),
    ('vendor', 'mediatek', true),
    ('vendor', 'samsung', true),
    ('vendor', 'google', true),
    ('vendor', 'ibm', true),
    ('vendor', 'microsoft', true),
    ('vendor', 'amazon', true),
    ('vendor', 'xilinx', true),
    ('vendor', 'altera', true),
    ('vendor', 'huawei', true),
    ('vendor', 'other', true),
    ('backend', 'pytorch', true),
    ('backend', 'tensorflow', true),
    ('backend', 'onnx', true),
    ('backend', 'webnn', true),
    ('backend', 'webgpu', true),
    ('backend', 'directml', true),
    ('backend', 'openvino', true),
    ('backend', 'qnn', true),
    ('backend', 'cuda', true),
    ('backend', 'rocm', true),
    ('backend', 'mps', true),
    ('backend', 'vulkan', true),
    ('backend', 'metal', true),
    ('backend', 'opencl', true),
    ('backend', 'tvm', true),
    ('backend', 'nnapi', true),
    ('backend', 'coreml', true),
    ('backend', 'tflite', true),
    ('backend', 'tensorrt', true),
    ('backend', 'other', true),
    ('precision', 'fp32', true),
    ('precision', 'fp16', true),
    ('precision', 'bf16', true),
    ('precision', 'int8', true),
    ('precision', 'int4', true),
    ('precision', 'int2', true),
    ('precision', 'int1', true),
    ('precision', 'mixed', true),
    ('precision', 'other', true),
    ('feature', 'tensor_cores', true),
    ('feature', 'ray_tracing', true),
    ('feature', 'neural_engine', true),
    ('feature', 'quantization', true),
    ('feature', 'sparsity', true),
    ('feature', 'dynamic_precision', true),
    ('feature', 'multi_instance', true),
    ('feature', 'shared_memory', true),
    ('feature', 'unified_memory', true),
    ('feature', 'dedicated_memory', true),
    ('feature', 'compute_shaders', true),
    ('feature', 'simd', true),
    ('feature', 'simt', true),
    ('feature', 'avx', true),
    ('feature', 'avx2', true),
    ('feature', 'avx512', true),
    ('feature', 'neon', true),
    ('feature', 'sve', true),
    ('feature', 'smt', true),
    ('feature', 'tsx', true),
    ('feature', 'other', true),
    ('workload_type', 'vision', true),
    ('workload_type', 'nlp', true),
    ('workload_type', 'audio', true),
    ('workload_type', 'multimodal', true),
    ('workload_type', 'training', true),
    ('workload_type', 'inference', true),
    ('workload_type', 'embedding', true),
    ('workload_type', 'conversational', true),
    ('workload_type', 'mixed', true),
    ('allocation_strategy', 'single', true),
    ('allocation_strategy', 'sharded', true),
    ('allocation_strategy', 'replicated', true);

INSERT INTO hwsched.type_word (position, word, workload_type, builtin) VALUES
    (10, 'vision', 'vision', true),
    (10, 'image', 'vision', true),
    (10, 'images', 'vision', true),
    (10, 'video', 'vision', true),
    (20, 'nlp', 'nlp', true),
    (20, 'text', 'nlp', true),
    (20, 'texts', 'nlp', true),
    (20, 'language', 'nlp', true),
    (30, 'audio', 'audio', true),
    (30, 'speech', 'audio', true),
    (40, 'embedding', 'embedding', true),
    (40, 'embeddings', 'embedding', true),
    (50, 'training', 'training', true),
    (50, 'finetuning', 'training', true),
    (60, 'inference', 'inference', true),
    (70, 'conversational', 'conversational', true),
    (70, 'conversation', 'conversational', true),
    (70, 'chat', 'conversational', true),
    (80, 'multimodal', 'multimodal', true),
    (80, 'modal', 'multimodal', true);

INSERT INTO hwsched.class_similarity (class_1, class_2, similarity, builtin) VALUES
    ('gpu', 'gpu', 0.8, true),
    ('cpu', 'gpu', 0.6, true),
    ('cpu', 'npu', 0.4, true),
    ('cpu', 'tpu', 0.3, true);

-- The defaults of implied devices. rocm and mps come before gpu, so that
-- "rocm, gpu" is one AMD device.
INSERT INTO hwsched.implied_device (name, position, words, absorbs, only_listed, profile, builtin)
VALUES
    ('cpu', 0, '{}', '{}', false,
     '{"hardware_class": "cpu", "architecture": "x86_64", "vendor": "intel", "model_name": "CPU-",
       "supported_backends": ["pytorch", "tensorflow", "onnx"],
       "supported_precisions": ["fp32", "int8"], "features": ["simd", "avx"],
       "clock_speed_mhz": 2500, "memory_is_shared": false, "memory_hierarchy_levels": 2,
       "memory_has_unified": false, "memory_type": "DDR4"}', true),
    ('generic', 0, '{}', '{}', false,
     '{"hardware_class": "cpu", "architecture": "x86_64", "vendor": "other",
       "model_name": "Generic-CPU", "supported_precisions": ["fp32"], "clock_speed_mhz": 2000,
       "memory_is_shared": false, "memory_hierarchy_levels": 2, "memory_has_unified": false,
       "memory_type": "DDR4"}', true),
    ('amd_gpu', 10, '{rocm}', '{rocm,gpu}', false,
     '{"architecture": "gpu_rocm", "vendor": "amd",
       "supported_backends": ["pytorch", "tensorflow", "onnx", "rocm"], "hardware_class": "gpu",
       "model_name": "GPU-", "supported_precisions": ["fp32", "fp16", "int8"],
       "features": ["compute_shaders", "tensor_cores"], "compute_units": 80,
       "clock_speed_mhz": 1500, "memory_is_shared": false, "memory_hierarchy_levels": 2,
       "memory_has_unified": false, "memory_type": "DDR4"}', true),
    ('apple_gpu', 20, '{mps,metal}', '{mps,metal,gpu}', false,
     '{"architecture": "gpu_metal", "vendor": "apple",
       "supported_backends": ["pytorch", "tensorflow", "onnx", "mps", "metal"],
       "hardware_class": "gpu", "model_name": "GPU-",
       "supported_precisions": ["fp32", "fp16", "int8"],
       "features": ["compute_shaders", "unified_memory"], "compute_units": 80,
       "clock_speed_mhz": 1500, "memory_is_shared": false, "memory_hierarchy_levels": 2,
       "memory_has_unified": false, "memory_type": "DDR4"}', true),
    ('nvidia_gpu', 30, '{cuda,gpu}', '{cuda,gpu}', false,
     '{"architecture": "gpu_cuda", "vendor": "nvidia",
       "supported_backends": ["pytorch", "tensorflow", "onnx", "cuda"], "hardware_class": "gpu",
       "model_name": "GPU-", "supported_precisions": ["fp32", "fp16", "int8"],
       "features": ["compute_shaders", "tensor_cores"], "compute_units": 80,
       "clock_speed_mhz": 1500, "memory_is_shared": false, "memory_hierarchy_levels": 2,
       "memory_has_unified": false, "memory_type": "DDR4"}', true),
    ('tpu', 40, '{tpu}', '{tpu}', false,
     '{"hardware_class": "tpu", "architecture": "tpu", "vendor": "google", "model_name": "TPU-",
       "supported_backends": ["tensorflow", "onnx"],
       "supported_precisions": ["fp32", "bf16", "int8"], "features": ["tensor_cores"],
       "compute_units": 8, "clock_speed_mhz": 1000, "memory_is_shared": false,
       "memory_hierarchy_levels": 2, "memory_has_unified": false, "memory_type": "DDR4"}', true),
    ('npu', 50, '{qnn,npu}', '{qnn,npu}', false,
     '{"hardware_class": "npu", "architecture": "npu_qualcomm", "vendor": "qualcomm",
       "model_name": "NPU-", "supported_backends": ["onnx", "qnn"],
       "supported_precisions": ["fp32", "fp16", "int8", "int4"], "features": ["quantization"],
       "compute_units": 4, "clock_speed_mhz": 800, "memory_is_shared": false,
       "memory_hierarchy_levels": 2, "memory_has_unified": false, "memory_type": "DDR4"}', true),
    ('browser_webgpu', 60, '{webgpu}', '{webgpu,webnn}', true,
     '{"architecture": "gpu_webgpu", "hardware_class": "hybrid", "vendor": "other",
       "model_name": "Browser-", "supported_backends": ["webgpu", "webnn"],
       "supported_precisions": ["fp32", "fp16"], "features": ["compute_shaders"],
       "compute_units": 2, "clock_speed_mhz": 1000, "memory_total_bytes": 2147483648,
       "memory_available_bytes": 1073741824, "memory_is_shared": true, "memory_hierarchy_levels": 1,
       "memory_has_unified": true, "memory_type": "Shared"}', true),
    ('browser_webnn', 70, '{webnn}', '{webnn}', true,
     '{"architecture": "other", "hardware_class": "hybrid", "vendor": "other",
       "model_name": "Browser-", "supported_backends": ["webgpu", "webnn"],
       "supported_precisions": ["fp32", "fp16"], "features": ["compute_shaders"],
       "compute_units": 2, "clock_speed_mhz": 1000, "memory_total_bytes": 2147483648,
       "memory_available_bytes": 1073741824, "memory_is_shared": true, "memory_hierarchy_levels": 1,
       "memory_has_unified": true, "memory_type": "Shared"}', true);

CREATE FUNCTION hwsched_internal.taxonomy_changed() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'hwsched_taxonomy_changed';
COMMENT ON FUNCTION hwsched_internal.taxonomy_changed() IS
    'Makes every session read the taxonomy anew.';
CREATE TRIGGER taxonomy_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON hwsched.taxonomy
    FOR EACH STATEMENT EXECUTE FUNCTION hwsched_internal.taxonomy_changed();
CREATE TRIGGER type_word_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON hwsched.type_word
    FOR EACH STATEMENT EXECUTE FUNCTION hwsched_internal.taxonomy_changed();
CREATE TRIGGER class_similarity_changed
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON hwsched.class_similarity
    FOR EACH STATEMENT EXECUTE FUNCTION hwsched_internal.taxonomy_changed();
CREATE TRIGGER implied_device_changed
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON hwsched.implied_device
    FOR EACH STATEMENT EXECUTE FUNCTION hwsched_internal.taxonomy_changed();

-- Administrators change their own rows, never the extension's.
ALTER TABLE hwsched.taxonomy ENABLE ROW LEVEL SECURITY;
ALTER TABLE hwsched.type_word ENABLE ROW LEVEL SECURITY;
ALTER TABLE hwsched.class_similarity ENABLE ROW LEVEL SECURITY;
ALTER TABLE hwsched.implied_device ENABLE ROW LEVEL SECURITY;
CREATE POLICY taxonomy_read ON hwsched.taxonomy FOR SELECT USING (true);
CREATE POLICY taxonomy_write ON hwsched.taxonomy TO hwsched_admin USING (NOT builtin)
    WITH CHECK (NOT builtin);
CREATE POLICY type_word_read ON hwsched.type_word FOR SELECT USING (true);
CREATE POLICY type_word_write ON hwsched.type_word TO hwsched_admin USING (NOT builtin)
    WITH CHECK (NOT builtin);
CREATE POLICY class_similarity_read ON hwsched.class_similarity FOR SELECT USING (true);
CREATE POLICY class_similarity_write ON hwsched.class_similarity TO hwsched_admin
    USING (NOT builtin) WITH CHECK (NOT builtin);
CREATE POLICY implied_device_read ON hwsched.implied_device FOR SELECT USING (true);
CREATE POLICY implied_device_write ON hwsched.implied_device TO hwsched_admin USING (NOT builtin)
    WITH CHECK (NOT builtin);
